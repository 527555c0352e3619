"""At which weights of the training examples the derivative is taken."""

import os
from typing import NamedTuple

import numpy as np

from trakway.storage.files import read_array


class Point(NamedTuple):
    """Where a training run is differentiated.

    Attributes:
        training: the ``training`` section of the run there.
        weights: of all training examples, float32 (n,), None where all are 1.
        unit: the weight of an example that is there; by so much a derivative in weights becomes what its presence does.
    """

    training: dict
    weights: np.ndarray | None = None
    unit: float = 1.0


def point_of(
    at: str, training: dict, size: int, number: int, fraction: float, subsets: str | os.PathLike | None
) -> Point:
    """Return the point of a run.

    The average effect of an example over half subsets is the derivative in their midst, not at the full set. A run at
    the subset of a member visits all examples, those outside at weight 0, and is otherwise what a model of the bank is:
    where these visit their subset alone (``training.removal: resample``), batches are larger by 1 / share, and the
    examples inside count as much more, so that a batch holds as many of them on average and its loss is their mean.

    Args:
        at: ``full``, ``middle`` (all at ``fraction``) or ``members``.
        training: the ``training`` section of the experiment.
        size: number of training examples n.
        number: of the run, and of the member whose subset it has.
        fraction: share of the training set in a subset of the bank.
        subsets: file of the members' subsets, bool (members, n), where ``at`` is ``members``.
    """
    if at == "middle":
        return Point(training, np.full(size, fraction, np.float32))
    if at != "members":
        return Point(training)
    inside = read_array(subsets)[number]
    if training["removal"] == "reweight":
        return Point(training, inside.astype(np.float32))
    unit = 1 / inside.mean()
    batch = min(size, round(training["batch_size"] * unit))
    return Point(training | {"batch_size": batch}, (inside * unit).astype(np.float32), unit)
