"""Gradients of the model output, one row an example."""

from trakway.gradients.factored import require_layers, shapes
from trakway.gradients.per_example import per_example_gradients
from trakway.gradients.preconditioning import Preconditioner, build_preconditioner, precondition
from trakway.gradients.projected import projected_gradients

__all__ = [
    "Preconditioner",
    "build_preconditioner",
    "per_example_gradients",
    "precondition",
    "projected_gradients",
    "require_layers",
    "shapes",
]
