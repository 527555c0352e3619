"""CIFAR-10 (Krizhevsky, 2009): 32×32 colour images of ten classes, read and checked (MD5) by torchvision."""

from pathlib import Path

import numpy as np

from trakway.data.pixels import ArrayPixels
from trakway.data.source import Source, Split
from trakway.errors import UserError
from trakway.plan.datasets import Dataset

DATASET = Dataset(side=32, channels=3, train_size=50_000, test_size=10_000, classes=10, remote=True)
LICENCE = "none stated; cite Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"
DOWNLOADS = Path("data")


def open_cifar10(dataset: dict) -> Source:
    """Open CIFAR-10.

    Args:
        dataset: ``source`` and ``path``. With a path and source auto or folder, the folder that holds
            ``cifar-10-batches-py``, and nothing is downloaded; else downloaded into ``path`` or ``data``.

    Raises:
        UserError: the data are missing, damaged, or cannot be downloaded.
    """
    kind, path = dataset["source"], dataset["path"]
    if kind == "packed":
        raise UserError("dataset.source: cifar10 has no packed subset; use auto, download, or folder with dataset.path")
    if kind == "folder" and path is None:
        raise UserError("dataset.path: source: folder needs the folder that holds cifar-10-batches-py")
    download = kind == "download" or path is None
    root = DOWNLOADS if path is None else Path(path).expanduser()

    from torchvision.datasets import CIFAR10

    try:
        parts = [CIFAR10(str(root), train=train, download=download) for train in (True, False)]
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        raise UserError(
            f"dataset: CIFAR-10 could not be opened in {root}{' nor downloaded into it' if download else ''} ({error})."
            "\n  What to do: let dataset.path name a folder that holds cifar-10-batches-py (from"
            " https://www.cs.toronto.edu/~kriz/cifar.html, the Python version), or use source: download"
        ) from error
    return Source("cifar10", LICENCE, tuple(parts[0].classes), *map(_split, parts))


def _split(part) -> Split:
    pixels = ArrayPixels(np.asarray(part.data).transpose(0, 3, 1, 2))
    return Split(pixels, np.asarray(part.targets, np.int64), np.arange(len(part.targets)))
