"""Derivatives through training, of the output at a step of the sampling trajectory; see `metagradient`."""

import numpy as np

from trakway.attribution.averages import mean_at
from trakway.attribution.material import Material
from trakway.plan.methods import Method

METHOD = Method(
    reads=("metagradients",),
    per_step=True,
    steps_only=True,
    label="journey-metagradient",
    color="#EE7733",
    marker="2",
    needs=("steps",),
    on_request=True,
)


def score(material: Material, out: np.ndarray, *, at: str = "full", start: float = 0) -> None:
    """Fill ``out`` with the mean of the runs' scores of each target's own timestep."""
    mean_at(material, material.metagradients, "metagradient: at, start", (at, start), out)
