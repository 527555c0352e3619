import sys
import types

import numpy as np
import pytest

from trakway.data.cifar10 import open_cifar10
from trakway.errors import UserError

DATASET = {"source": "auto", "path": None}


@pytest.fixture
def torchvision(monkeypatch):
    """Put a torchvision in place that holds seven training and three test images."""
    module = types.ModuleType("torchvision.datasets")
    module.calls = []

    class CIFAR10:
        def __init__(self, root, train, download):
            module.calls.append((root, train, download))
            rng = np.random.default_rng(int(train))
            self.data = rng.integers(0, 256, (7 if train else 3, 32, 32, 3), np.uint8)
            self.targets = rng.integers(0, 10, len(self.data)).tolist()
            self.classes = ["airplane", "automobile"] + [f"class{i}" for i in range(8)]

    module.CIFAR10 = CIFAR10
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", module)
    return module


def test_pixels_labels_and_ids(torchvision):
    source = open_cifar10(DATASET)
    original = torchvision.CIFAR10("", True, False)
    assert source.train.examples.array.shape == (7, 3, 32, 32)
    np.testing.assert_array_equal(source.train.examples.array[2, 1], original.data[2, :, :, 1])
    np.testing.assert_array_equal(source.train.labels, original.targets)
    np.testing.assert_array_equal(source.test.ids, [0, 1, 2])
    assert source.classes[:2] == ("airplane", "automobile")


@pytest.mark.parametrize(
    ("source", "path", "expected"),
    [
        ("auto", None, ("data", True)),
        ("auto", "mine", ("mine", False)),
        ("folder", "mine", ("mine", False)),
        ("download", None, ("data", True)),
        ("download", "mine", ("mine", True)),
    ],
)
def test_where_it_looks_and_whether_it_downloads(torchvision, source, path, expected):
    open_cifar10({"source": source, "path": path})
    assert torchvision.calls == [(expected[0], True, expected[1]), (expected[0], False, expected[1])]


def test_sources_that_cannot_be():
    with pytest.raises(UserError, match="no packed subset"):
        open_cifar10({"source": "packed", "path": None})
    with pytest.raises(UserError, match=r"dataset\.path"):
        open_cifar10({"source": "folder", "path": None})


def test_missing_and_damaged_folders_with_the_real_torchvision(tmp_path):
    with pytest.raises(UserError, match=r"(?s)could not be opened in .* \(Dataset not found or corrupted.*What to do"):
        open_cifar10({"source": "folder", "path": str(tmp_path)})
    (tmp_path / "cifar-10-batches-py").mkdir()
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch", "batches.meta"]:
        (tmp_path / "cifar-10-batches-py" / name).write_bytes(b"damaged")
    with pytest.raises(UserError, match="corrupted"):
        open_cifar10({"source": "auto", "path": str(tmp_path)})
