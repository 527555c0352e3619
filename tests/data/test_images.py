import numpy as np
import pandas as pd
import pytest
import torch

from trakway.data import ImageData, prepare
from trakway.errors import UserError


@pytest.fixture
def folder(small, tmp_path):
    prepare(
        {"name": "fashion_mnist", "path": str(small), "classes": ["coat", "bag"], "train_size": 20, "test_size": 6},
        0,
        tmp_path / "data",
    )
    return tmp_path / "data"


def test_load(folder):
    data = ImageData.load(folder)
    examples = pd.read_parquet(folder / "examples.parquet")
    assert isinstance(data.train_images, np.memmap)
    assert isinstance(data.test_images, np.memmap)
    assert data.shape == (1, 28, 28)
    assert data.classes == ("coat", "bag")
    assert data.train_labels.dtype == data.test_labels.dtype == np.int64
    np.testing.assert_array_equal(data.train_labels, examples["label"][:20])
    np.testing.assert_array_equal(data.test_labels, examples["label"][20:])


@pytest.mark.parametrize("rows", [[3, 0, 19, 3], np.array([7]), slice(2, 9), None, []])
def test_batch_against_float64(folder, rows):
    data = ImageData.load(folder)
    batch = data.batch("train", rows)
    index = slice(None) if rows is None else rows if isinstance(rows, slice) else np.array(rows, int)
    chosen = np.asarray(data.train_images)[index]
    expected = (chosen / 255 - data.mean[0]) / data.std[0]
    assert batch.dtype == torch.float32
    assert batch.shape == chosen.shape
    np.testing.assert_allclose(batch.numpy(), expected, atol=1e-6)


def test_an_image_does_not_depend_on_its_batch(folder):
    data = ImageData.load(folder)
    everything = data.batch("test")
    for row in range(6):
        assert torch.equal(data.batch("test", [row])[0], everything[row])


def test_whole_training_set_has_mean_0_and_std_1(folder):
    batch = ImageData.load(folder).batch("train").double()
    assert abs(batch.mean()) < 1e-6
    assert abs(batch.std(unbiased=False) - 1) < 1e-6


def test_batches_do_not_write_through(folder):
    data = ImageData.load(folder)
    before = data.batch("train", [0])
    data.batch("train", slice(0, 1)).zero_()
    assert torch.equal(data.batch("train", [0]), before)


@pytest.mark.parametrize("name", ["train_images.npy", "test_images.npy", "examples.parquet", "meta.json"])
@pytest.mark.parametrize("damage", ["remove", "truncate"])
def test_a_folder_that_is_not_whole(folder, name, damage):
    file = folder / name
    if damage == "remove":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(UserError, match=r"data: not a whole data set .*prepare the data again"):
        ImageData.load(folder)


def test_files_of_different_data_sets(folder, small, tmp_path):
    prepare({"name": "fashion_mnist", "path": str(small), "train_size": 30, "test_size": 10}, 0, tmp_path / "other")
    (folder / "train_images.npy").write_bytes((tmp_path / "other" / "train_images.npy").read_bytes())
    with pytest.raises(UserError, match=r"holds uint8 of \(30, 1, 28, 28\), not 20 images|train_images"):
        ImageData.load(folder)
    (folder / "meta.json").write_bytes((tmp_path / "other" / "meta.json").read_bytes())
    with pytest.raises(UserError, match="does not list the 30 rows"):
        ImageData.load(folder)
