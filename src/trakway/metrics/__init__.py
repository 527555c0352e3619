"""Measures: the linear datamodeling score, intervals, distances of distributions."""
