"""Similarity of the captions: how alike are the states that the text encoder has of them."""

import numpy as np

from trakway.attribution.material import Material
from trakway.plan.methods import Method
from trakway.storage.resumable import row_blocks

METHOD = Method(reads=("captions",), label="Caption similarity", color="#882255", marker="1", needs=("caption",))


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the cosine of the mean states of the captions of z and z_i; of several captions the mean."""
    train, targets = material.captions
    for block in row_blocks(material.size, material.block):
        out[:, block] = targets @ train[block].T
