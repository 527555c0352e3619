"""Trakway: trace model outputs back to training examples, and check the answer by retraining."""

__version__ = "0.1.0"
