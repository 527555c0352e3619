"""Derivatives through training (Engstrom et al., arXiv:2503.13751; MAGIC, Ilyas & Engstrom, arXiv:2504.16430).

The exact derivative of the target's output in the weight of each training example, through every step of a training
run; the mean over runs estimates that of the expected output.
"""

import numpy as np

from trakway.attribution.averages import mean_at
from trakway.attribution.material import Material
from trakway.plan.methods import Method

METHOD = Method(reads=("metagradients",), label="Metagradient", color="#CC3311", marker="x", on_request=True)


def score(material: Material, out: np.ndarray, *, at: str = "full", start: float = 0) -> None:
    """Fill ``out`` with the mean of the runs' scores; of a diffusion target those of its image, at every timestep."""
    wholes, place = material.of_wholes()
    if place is None:
        mean_at(material, material.metagradients, "metagradient: at, start", (at, start), out)
        return
    scores = np.empty((wholes.targets, material.size), np.float32)
    mean_at(wholes, wholes.metagradients, "metagradient: at, start", (at, start), scores)
    out[:] = scores[place]
