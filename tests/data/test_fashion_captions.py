import numpy as np
import pandas as pd
import pytest

from trakway.data import prepare
from trakway.data.captioned import CaptionData
from trakway.data.fashion_captions import CLASSES, THINGS, WORDINGS, captions_of, open_fashion_captions
from trakway.data.fashion_mnist import read_folder
from trakway.data.preparation import DEFAULTS
from trakway.errors import UserError


def test_every_class_is_described_in_every_wording():
    assert tuple(THINGS) == CLASSES
    whole = {caption for name in CLASSES for caption in captions_of(name)}
    assert len(whole) == len(CLASSES) * len(WORDINGS) == 40
    assert captions_of("trouser")[0] == "a photo of a pair of trousers"
    assert captions_of("ankle boot")[1] == "an ankle boot on a black background"


def test_pictures_are_those_of_the_set_and_captions_of_their_class(small, tmp_path):
    dataset = {"name": "fashion_captions", "path": str(small), "classes": ["bag", "coat"], "train_size": 10}
    prepare(dataset, 0, tmp_path / "out")
    found, table = CaptionData.load(tmp_path / "out"), pd.read_parquet(tmp_path / "out/examples.parquet")
    official, train = read_folder(small), table[table["split"] == "train"]
    np.testing.assert_array_equal(found.images.train_images, official.train.examples.array[train["id"]])
    for split in ("train", "test"):
        names = table.loc[table["split"] == split, "label_name"]
        assert found.captions[split] == [captions_of(name) for name in names]
        assert set(names) == {"bag", "coat"}
    assert set(table["caption"]) == {"a photo of a bag", "a photo of a coat"}


def test_a_side_of_32(small, tmp_path):
    prepare({"name": "fashion_captions", "path": str(small), "image_size": 32}, 0, tmp_path / "out")
    found = CaptionData.load(tmp_path / "out").images
    ids = pd.read_parquet(tmp_path / "out/examples.parquet")["id"][: len(found.train_images)]
    assert found.train_images.shape == (120, 1, 32, 32)
    own = read_folder(small).train.examples.array[ids]
    assert np.abs(found.train_images.mean((1, 2, 3)) - own.mean((1, 2, 3))).max() < 3  # stretched, not padded


def test_the_packed_subset_suffices_for_two_classes():
    source = open_fashion_captions(DEFAULTS | {"classes": ["coat", "shirt"]})
    assert len(source.train.examples) == len(source.train.labels) >= 12_000


def test_what_is_missing_is_said(places):
    with pytest.raises(UserError, match="Fashion-MNIST with .* was not found"):
        open_fashion_captions(DEFAULTS | {"source": "folder"})
