"""Digits (Alpaydin & Kaynak, Cascading Classifiers, Kybernetika 34, 1998): 8×8 grey images of ten handwritten digits.

The 1,797 images of 13 writers that come with scikit-learn, in 17 grey levels. There is no official split: every third
image in scikit-learn's order is a test image, whatever the seed, which leaves 1,198 for training (111 to 126 a class
against 54 to 63). The writers follow one another in that order, so that all of them are in both splits.
"""

import numpy as np

from trakway.data.pixels import ArrayPixels
from trakway.data.source import Source, Split
from trakway.errors import UserError
from trakway.plan.datasets import Dataset

DATASET = Dataset(side=8, train_size=1198, test_size=599)
CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
BRIGHTEST = 16
LICENCE = "CC BY 4.0, UCI Machine Learning Repository; cite Alpaydin & Kaynak, Cascading Classifiers, 1998"


def open_digits(dataset: dict) -> Source:
    """Open the digits inside scikit-learn.

    Args:
        dataset: ``source`` (auto or packed) and ``path`` (None): there is nothing to look for or to download.

    Raises:
        UserError: another source, or a path.
    """
    if dataset["source"] not in ("auto", "packed"):
        raise UserError(
            f"dataset.source: found {dataset['source']!r}; digits come with scikit-learn, use auto or packed"
        )
    if dataset["path"] is not None:
        raise UserError(f"dataset.path: found {dataset['path']!r}; digits come with scikit-learn, use null")
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels, labels = np.rint(found.images * (255 / BRIGHTEST)).astype(np.uint8)[:, None], found.target.astype(np.int64)
    rows = np.arange(len(labels))
    train, test = rows[rows % 3 != 2], rows[rows % 3 == 2]
    splits = (Split(ArrayPixels(pixels[part]), labels[part], part) for part in (train, test))
    return Source("digits", LICENCE, CLASSES, *splits)
