"""Model architectures: one file each, found by its name, with a function ``build``."""

from trakway.models.build import build_model

__all__ = ["build_model"]
