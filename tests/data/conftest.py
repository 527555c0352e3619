from pathlib import Path

import numpy as np
import pytest

from trakway.data import fashion_mnist
from trakway.data.idx import write_idx


def _write_fashion(folder: Path, train: list[int], test: list[int], seed: int = 0) -> Path:
    """Write a small set in the format of Fashion-MNIST with so many images of each of the ten classes."""
    rng = np.random.default_rng(seed)
    for prefix, counts in (("train", train), ("t10k", test)):
        labels = rng.permutation(np.repeat(np.arange(10), counts)).astype(np.uint8)
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", rng.integers(0, 256, (len(labels), 28, 28), np.uint8))
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", labels)
    return folder


@pytest.fixture
def write_fashion():
    return _write_fashion


@pytest.fixture
def small(tmp_path) -> Path:
    """A folder with 12 training and 5 test images of each class."""
    return _write_fashion(tmp_path / "small", [12] * 10, [5] * 10)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Point the places Fashion-MNIST is looked for at folders that do not exist yet."""
    found = {name: tmp_path / name for name in ("packed", "debian", "data")}
    monkeypatch.setattr(fashion_mnist, "PACKED", found["packed"])
    monkeypatch.setattr(fashion_mnist, "DEBIAN", found["debian"])
    monkeypatch.setattr(fashion_mnist, "DOWNLOADS", found["data"])
    return found
