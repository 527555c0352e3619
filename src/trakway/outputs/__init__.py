"""Model outputs on targets: the ground truth that all methods share."""
