"""Gradients of the model output, one row an example."""

from trakway.gradients.per_example import per_example_gradients

__all__ = ["per_example_gradients"]
