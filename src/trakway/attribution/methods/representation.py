"""Similarity of what the last layer sees (Hanawa et al., ICLR 2021), signed by class, averaged over members."""

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.similarity import class_sign, unit
from trakway.plan.methods import Method
from trakway.storage.resumable import row_blocks

METHOD = Method(reads=("representations", "labels"), label="Representation similarity", color="#009E73", marker="v")


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the cosine of the representations of z and z_i; negative for another class."""
    targets = [unit(target) for _, target in material.representations]
    for block in row_blocks(material.size, material.block):
        cosine = sum(
            target @ unit(train[block]).T for target, (train, _) in zip(targets, material.representations, strict=True)
        )
        out[:, block] = cosine / len(targets) * class_sign(material.labels, block)
