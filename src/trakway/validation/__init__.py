"""Checks of attributions against retraining: linear datamodeling score, removal, and their intervals."""
