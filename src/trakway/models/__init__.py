"""Model architectures by name."""

from trakway.models.image import MODELS, build_image_model

__all__ = ["MODELS", "build_image_model"]
