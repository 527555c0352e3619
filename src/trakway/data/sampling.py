"""Drawing examples from a split: as equal a number of every class as the total allows, in shuffled order."""

from collections.abc import Sequence

import numpy as np

from trakway.seeds import generator

TEST_SHARE = 0.25  # of what a user gives without test examples


def shares(size: int, classes: int) -> list[int]:
    """Split ``size`` into ``classes`` whole numbers that differ by at most one, the larger first."""
    base, extra = divmod(size, classes)
    return [base + (position < extra) for position in range(classes)]


def shortage(labels: np.ndarray, picked: Sequence[int], size: int | None) -> tuple[int, int, int] | None:
    """Return (label, images it has, images needed) of the first class too small for ``size``, or None if all suffice.

    Without a ``size`` one image of each class is enough.
    """
    counts = np.bincount(labels, minlength=max(picked) + 1)
    needed = [1] * len(picked) if size is None else shares(size, len(picked))
    return next(
        ((label, int(counts[label]), need) for label, need in zip(picked, needed, strict=True) if counts[label] < need),
        None,
    )


def sample(labels: np.ndarray, picked: Sequence[int], size: int | None, seed: int, split: int) -> np.ndarray:
    """Draw rows of the classes ``picked``.

    Every class is put in a random order and its first rows are taken, so that a larger ``size`` only adds examples.

    Args:
        labels: label of every row of the split.
        picked: labels to draw from, in the order that gives them their new numbers.
        size: how many rows in all (None: every row of these classes); must not exceed what ``shortage`` allows.
        seed: the experiment's seed.
        split: 0 for training, 1 for test; part of the name of the random stream.

    Returns:
        int64 rows in shuffled order, none twice.
    """
    rng = generator(seed, "data", split)
    counts = [None] * len(picked) if size is None else shares(size, len(picked))
    rows = [rng.permutation(np.flatnonzero(labels == label))[:n] for label, n in zip(picked, counts, strict=True)]
    return rng.permutation(np.concatenate(rows))


def held_out(number: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the training and of the test examples, ascending, where a data set has no split of its own.

    A quarter is for testing, whatever the experiment's seed.

    Args:
        number: of examples in all.
        name: of the kind of data set; part of the name of the random stream.
    """
    order = generator(0, f"{name}: test examples").permutation(number)
    first = number - round(TEST_SHARE * number)
    return np.sort(order[:first]), np.sort(order[first:])
