"""Scores drawn at random: the floor that every method must clear."""

import numpy as np

from trakway import seeds
from trakway.attribution.material import Material
from trakway.plan.methods import Method

METHOD = Method(label="Random", color="#7F7F7F", marker="h")


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with standard normal numbers, a stream for each target."""
    for target in range(material.targets):
        out[target] = seeds.generator(material.seed, "random scores", target).standard_normal(material.size)
