import gzip
import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trakway.data import fashion_mnist, prepare
from trakway.data.fashion_mnist import DEBIAN, read_folder
from trakway.data.pixels import ArrayPixels
from trakway.errors import UserError

COLUMNS = ["id", "split", "row", "label", "label_name", "caption", "source", "sha256"]


def dataset(small, **changes):
    return {"name": "fashion_mnist", "path": str(small), "train_size": 31, "test_size": 8, **changes}


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_files_against_the_source(small, tmp_path):
    prepare(dataset(small, classes=["shirt", "bag", "coat"]), 0, tmp_path / "out")
    full = read_folder(small)
    examples = pd.read_parquet(tmp_path / "out" / "examples.parquet")
    meta = json.loads((tmp_path / "out" / "meta.json").read_text())
    assert list(examples.columns) == COLUMNS
    assert (examples["split"] == ["train"] * 31 + ["test"] * 8).all()
    assert (examples["caption"] == "").all()
    assert meta["classes"] == ["shirt", "bag", "coat"]
    assert meta["counts"] == {"train": 31, "test": 8}
    assert set(meta) == {"classes", "mean", "std", "source", "licence", "counts"}
    for name, split, sizes in (("train", full.train, [11, 10, 10]), ("test", full.test, [3, 3, 2])):
        images = np.load(tmp_path / "out" / f"{name}_images.npy", allow_pickle=False)
        table = examples[examples["split"] == name].reset_index(drop=True)
        assert images.dtype == np.uint8
        assert images.shape == (sum(sizes), 1, 28, 28)
        assert table["row"].tolist() == list(range(len(images)))
        assert table["label"].value_counts().sort_index().tolist() == sizes
        for row, example in table.iterrows():
            np.testing.assert_array_equal(images[row], split.examples.array[example["id"]])
            assert example["label_name"] == fashion_mnist.CLASSES[split.labels[example["id"]]]
            assert example["label_name"] == meta["classes"][example["label"]]
            assert example["sha256"] == hashlib.sha256(images[row].tobytes()).hexdigest()
    train = np.load(tmp_path / "out" / "train_images.npy") / 255
    np.testing.assert_allclose(meta["mean"], [train.mean()], rtol=1e-12)
    np.testing.assert_allclose(meta["std"], [train.std()], rtol=1e-12)


def test_same_bytes_whatever_the_block_size(small, tmp_path):
    for name, options in (("a", {}), ("b", {"block": 7}), ("c", {"block": 1, "threads": 2})):
        prepare(dataset(small), 3, tmp_path / name, **options)
    assert len(contents(tmp_path / "a")) == 4
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == contents(tmp_path / "c")


def test_seed_changes_the_draw(small, tmp_path):
    for seed in (0, 1):
        prepare(dataset(small), seed, tmp_path / str(seed))
    assert contents(tmp_path / "0")["train_images.npy"] != contents(tmp_path / "1")["train_images.npy"]


def test_goes_on_after_an_interruption(small, tmp_path, monkeypatch):
    monkeypatch.setattr("trakway.storage.resumable.SAVE_SECONDS", -1.0)
    read = ArrayPixels.read
    seen = []

    def cut(pixels, rows, *options):
        if len(seen) == 4:
            raise KeyboardInterrupt
        seen.append(len(rows))
        return read(pixels, rows, *options)

    monkeypatch.setattr(ArrayPixels, "read", cut)
    with pytest.raises(KeyboardInterrupt):
        prepare(dataset(small), 0, tmp_path / "cut", block=4)
    assert not (tmp_path / "cut" / "meta.json").exists()
    monkeypatch.setattr(ArrayPixels, "read", read)
    prepare(dataset(small), 0, tmp_path / "cut", block=4)
    prepare(dataset(small), 0, tmp_path / "whole")
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_other_settings_replace_a_data_set(small, tmp_path):
    prepare(dataset(small), 0, tmp_path / "a")
    prepare(dataset(small, train_size=12, image_size=14), 0, tmp_path / "a")
    assert np.load(tmp_path / "a" / "train_images.npy").shape == (12, 1, 14, 14)
    assert len(pd.read_parquet(tmp_path / "a" / "examples.parquet")) == 20


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="the full set is not installed")
def test_hard_pair_is_the_same_from_the_pack_and_from_the_full_set(tmp_path):
    settings = {"name": "fashion_mnist", "classes": ["coat", "shirt"], "train_size": 300, "test_size": 50}
    prepare(settings, 0, tmp_path / "packed")
    prepare(settings | {"source": "folder"}, 0, tmp_path / "full")
    assert contents(tmp_path / "packed") == contents(tmp_path / "full")


def test_image_files_in_blocks_of_any_size_and_threads(tmp_path):
    rng = np.random.default_rng(0)
    for split, count in (("train", 5), ("val", 2)):
        for name in ("cat", "dog"):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (20 + number, 30, 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.JPEG")
    settings = {"name": "imagenet", "path": str(tmp_path / "photos"), "image_size": 16}
    prepare(settings, 0, tmp_path / "a")
    prepare(settings, 0, tmp_path / "b", block=3, threads=3)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert np.load(tmp_path / "a" / "train_images.npy").shape == (10, 3, 16, 16)
    assert len(json.loads((tmp_path / "a" / "meta.json").read_text())["mean"]) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_sise": 3}, r"dataset\.train_sise: unknown key; did you mean 'train_size'\?"),
        (
            {"name": "fashion-mnist"},
            r'dataset\.name: found .fashion-mnist.; allowed: one of .* Did you mean "fashion_mnist"\?',
        ),
        ({"source": "disk"}, r"dataset\.source: found 'disk'.*auto, packed, folder, download"),
        ({"train_size": 0}, r"dataset\.train_size: found 0"),
        ({"test_size": 2.5}, r"dataset\.test_size: found 2\.5"),
        ({"image_size": True}, r"dataset\.image_size: found True"),
        ({"classes": "coat"}, r"dataset\.classes: found 'coat'; use a list"),
        ({"classes": ["coat", "shirts"]}, "did you mean 'shirt'"),
        ({"train_size": 1000}, "t-shirt has 12 train images, 100 are needed"),
        ({"train_size": 9}, r"dataset\.train_size: found 9, fewer than the 10 classes"),
    ],
)
def test_mistakes_leave_no_files(small, tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        prepare(dataset(small, **changes), 0, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_set_without_contrast(tmp_path, small):
    file = small / "train-images-idx3-ubyte.gz"
    raw = gzip.decompress(file.read_bytes())
    file.write_bytes(gzip.compress(raw[:16] + bytes(len(raw) - 16)))
    with pytest.raises(UserError, match="the same value in every training image"):
        prepare(dataset(small), 0, tmp_path / "out")


OWN = """
import numpy as np
from trakway.data.pixels import ArrayPixels
from trakway.data.source import Source, Split

def split():
    images = np.arange(6 * 64, dtype=np.uint8).reshape(6, 1, 8, 8)
    labels, ids = np.arange(6) % 2, np.arange(6)
    {change}
    return Split(ArrayPixels(images), labels, ids)

def open_own(dataset):
    return Source("own", "mine", ("a", "b"), split(), split())
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("images = images / 255", r"ArrayPixels: found float64 \(6, 1, 8, 8\); allowed: uint8"),
        ("images = images[:, 0]", r"ArrayPixels: found uint8 \(6, 8, 8\); allowed: uint8 .* with 1 or 3 channels"),
        ("images = images.repeat(2, 1)", "with 1 or 3 channels"),
        ("labels = labels.astype(float)", "train: found labels float64 .* allowed: an array of whole numbers"),
        ("labels = labels.tolist()", "train: found labels list of 6 examples"),
        ("images = images[:5]", r"train: found labels int64 \(6,\) of 5 examples"),
        ("ids = ids[:4]", r"train: found ids int64 \(4,\) of 6 examples"),
        ("labels = labels + 1", "train: found labels from 1 to 2; allowed: 0 to 1"),
        ("ids = ids * 0", "train: found ids that are given twice"),
    ],
)
def test_mistakes_of_an_own_data_set(tmp_path, change, message):
    (tmp_path / "own.py").write_text(OWN.format(change=change))
    with pytest.raises(UserError, match=message):
        prepare({"name": f"{tmp_path}/own.py:open_own"}, 0, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_own_data_set(tmp_path):
    (tmp_path / "own.py").write_text(OWN.format(change=""))
    prepare({"name": f"{tmp_path}/own.py:open_own"}, 0, tmp_path / "out")
    assert np.load(tmp_path / "out/train_images.npy").shape == (6, 1, 8, 8)
