"""Empirical influence (Feldman and Zhang, NeurIPS 2020, equation 2): with the example, less without it."""

import numpy as np

from trakway.attribution.material import Material
from trakway.plan.methods import Method
from trakway.storage.resumable import row_blocks

METHOD = Method(reads=("estimation",), per_step=True, label="Empirical influence", color="#CC79A7", marker="X")


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the mean output of the estimation subsets that hold z_i less that of those that do not.

    An example that all subsets hold, or none, gets the score 0: nothing is known of it.
    """
    outputs = material.estimation.outputs.astype(np.float64)
    total = outputs.sum(0)
    for block in row_blocks(material.size, material.block):
        inside = material.estimation.masks[:, block].astype(np.float64)
        count = inside.sum(0)
        sums = outputs.T @ inside
        known = (count > 0) & (count < len(inside))
        mean_in = sums / np.where(known, count, 1)
        mean_out = (total[:, None] - sums) / np.where(known, len(inside) - count, 1)
        out[:, block] = np.where(known, mean_in - mean_out, 0)
