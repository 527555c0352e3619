"""Pixels in [-1, 1], as diffusion models have them."""

import numpy as np


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Turn pixels in [-1, 1] into uint8; what lies outside is cut off."""
    return np.round((np.clip(np.asarray(images, np.float32), -1, 1) + 1) * 127.5).astype(np.uint8)
