"""At which weights of the training examples the derivative is taken."""

import os

import numpy as np

from trakway.storage.files import read_array


def weights_of(
    at: str, size: int, number: int, fraction: float, subsets: str | os.PathLike | None
) -> np.ndarray | None:
    """Return the weights of all training examples, float32 (n,), None where all are 1.

    The average effect of an example over half subsets is the derivative in their midst, not at the full set.

    Args:
        at: ``full``, ``middle`` (all at ``fraction``) or ``members`` (1 in a subset of the members, 0 outside).
        size: number of training examples n.
        number: of the run, and of the member whose subset it has.
        fraction: share of the training set in a subset.
        subsets: file of the members' subsets, bool (members, n).
    """
    if at == "middle":
        return np.full(size, fraction, np.float32)
    if at == "members":
        return read_array(subsets)[number].astype(np.float32)
    return None
