"""Derivatives through training (Engstrom et al., arXiv:2503.13751; MAGIC, Ilyas & Engstrom, arXiv:2504.16430).

The exact derivative of the target's output in the weight of each training example, through every step of a training
run; the mean over runs estimates that of the expected output.
"""

import numpy as np

from trakway.attribution.averages import mean_of
from trakway.attribution.material import Material
from trakway.plan.methods import Method

METHOD = Method(reads=("metagradients",), label="Metagradient", color="#CC3311", marker="*", on_request=True)


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the mean of the runs' scores; of a diffusion target those of its image, at every timestep."""
    wholes, place = material.of_wholes()
    if place is None:
        mean_of(material, material.metagradients, out)
        return
    scores = np.empty((wholes.targets, material.size), np.float32)
    mean_of(wholes, wholes.metagradients, scores)
    out[:] = scores[place]
