"""Means of scores."""

from collections.abc import Sequence

import numpy as np

from trakway.attribution.material import Material
from trakway.storage.resumable import row_blocks


def mean_of(material: Material, arrays: Sequence[np.ndarray], out: np.ndarray) -> None:
    """Fill ``out`` with the mean of arrays (targets, n) of several models, summed in float64, block by block."""
    for block in row_blocks(material.size, material.block):
        out[:, block] = np.mean([np.asarray(array[:, block], np.float64) for array in arrays], axis=0)
