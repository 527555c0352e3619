"""Similarity of the pixels to x̂_0(x_t), what the sampler expects at a step of the way."""

from dataclasses import replace

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.methods import pixel
from trakway.plan.methods import Method

METHOD = Method(
    reads=("examples",),
    per_step=True,
    steps_only=True,
    label="Pixels of x̂₀",
    color="#8C6D1F",
    marker="8",
    needs=("image", "steps"),
)


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the cosine of x̂_0(x_t) and z_i, each less its own mean."""
    pixel.score(material.replace(examples=replace(material.examples, targets=material.examples.seen), labels=None), out)
