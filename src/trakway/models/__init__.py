"""Model architectures by name."""

from trakway.models.image import MODELS, build_image_model
from trakway.models.unet import build_unet

__all__ = ["MODELS", "build_image_model", "build_unet"]
