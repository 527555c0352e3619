"""Influence by the curvature of the training loss: EK-FAC, and conjugate gradients that it preconditions."""
