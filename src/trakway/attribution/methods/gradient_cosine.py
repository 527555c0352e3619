"""Cosine similarity of projected gradients at the final checkpoint (as GAS of Hammoudeh and Lowd, CCS 2022)."""

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.similarity import unit
from trakway.plan.methods import Method
from trakway.storage.resumable import row_blocks

METHOD = Method(reads=("features",), per_step=True, label="Gradient cosine", color="#0072B2", marker="D")


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the mean over members of the cosine of φ(z) and φ(z_i): in [-1, 1], positive = helpful.

    Both gradients are those of f: the loss's gradient of z_i is a negative multiple of it, so the sign is TracIn's.
    """
    targets = [unit(entry.targets) for entry in material.features]
    for block in row_blocks(material.size, material.block):
        out[:, block] = sum(
            target @ unit(entry.train[block]).T for target, entry in zip(targets, material.features, strict=True)
        ) / len(targets)
