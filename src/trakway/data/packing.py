"""Packing a real subset of Fashion-MNIST, small enough to travel with the code."""

import os
from pathlib import Path

import numpy as np

from trakway.data.checksums import write_checksums
from trakway.data.fashion_mnist import CLASSES, PREFIXES, Absent, read_folder
from trakway.data.idx import write_idx
from trakway.errors import UserError

COMPLETE = ("coat", "shirt")  # the pair that classifiers confuse most: every image of theirs is packed
OTHERS = {"train": 1000, "test": 200}  # images of each other class: the first in the official order


def pack(source: str | os.PathLike, output: str | os.PathLike) -> int:
    """Write the subset of the full set in ``source`` to ``output``: images, labels, row ids and checksums.

    The files keep the official names and format, so that they are read as the full set is; the rows stay in the
    official order. The bytes depend on the rows (and the version of zlib) alone.

    Returns:
        The size of the pack in bytes.

    Raises:
        UserError: a file is missing from ``source`` or damaged.
    """
    try:
        full = read_folder(Path(source))
    except Absent as error:
        raise UserError(f"{source}: not a folder with the four official files of Fashion-MNIST: {error}") from error
    output, names, size = Path(output), [], 0
    for (name, prefix), split in zip(PREFIXES.items(), (full.train, full.test), strict=True):
        rows = packed_rows(split.labels, OTHERS[name])
        parts = {
            f"{prefix}-images-idx3-ubyte.gz": split.examples.array[rows, 0],
            f"{prefix}-labels-idx1-ubyte.gz": split.labels[rows].astype(np.uint8),
            f"{prefix}-ids-idx1-int.gz": split.ids[rows].astype(np.int32),
        }
        for file, array in parts.items():
            write_idx(output / file, array)
            names, size = [*names, file], size + (output / file).stat().st_size
    write_checksums(output, names)
    return size


def packed_rows(labels: np.ndarray, others: int) -> np.ndarray:
    """Return, ascending, all rows of the classes in ``COMPLETE`` and the first ``others`` rows of each other class."""
    kept = [
        rows if name in COMPLETE else rows[:others]
        for name, rows in ((name, np.flatnonzero(labels == label)) for label, name in enumerate(CLASSES))
    ]
    return np.sort(np.concatenate(kept))
