"""Similarity of the pixels to x̂_0(x_t), what the sampler expects at a step of the way."""

import dataclasses

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.methods import pixel


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the cosine of x̂_0(x_t) and z_i, each less its own mean."""
    pixel.score(dataclasses.replace(material, images=(material.images[0], material.estimates)), out)
