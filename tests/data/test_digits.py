import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

from trakway.data import prepare
from trakway.data.digits import CLASSES, open_digits
from trakway.errors import UserError

DATASET = {"source": "auto", "path": None}


@pytest.fixture(scope="module")
def official():
    return load_digits()


@pytest.mark.parametrize("split", ["train", "test"])
def test_pixels_and_labels_are_those_of_the_official_rows(official, split):
    found = getattr(open_digits(DATASET), split)
    assert found.examples.array.dtype == np.uint8
    assert found.examples.array.shape == (len(found.ids), 1, 8, 8)
    for image, label, row in zip(found.examples.array, found.labels, found.ids, strict=True):
        levels = official.data[row].reshape(8, 8)
        assert image[0].tolist() == [[round(level * 255 / 16) for level in line] for line in levels.tolist()]
        assert label == official.target[row]
    assert len(np.unique(found.examples.array)) == 17
    assert found.examples.array.max() == 255


def test_the_split_is_fixed_whole_and_balanced(official):
    source = open_digits(DATASET)
    assert sorted([*source.train.ids, *source.test.ids]) == list(range(len(official.target)))
    assert source.test.ids[:3].tolist() == [2, 5, 8]
    for split, size, classes in ((source.train, 1198, (111, 129)), (source.test, 599, (54, 63))):
        counts = np.bincount(split.labels)
        assert (counts.sum(), counts.min(), counts.max()) == (size, *classes)


def test_names_of_the_classes(official):
    assert len(CLASSES) == len(official.target_names)
    source = open_digits(DATASET | {"source": "packed"})
    assert source.classes[3] == "three"
    assert "CC BY 4.0" in source.licence


@pytest.mark.parametrize("source", ["folder", "download"])
def test_there_is_nowhere_else_to_look(source):
    with pytest.raises(UserError, match=rf"dataset\.source: found '{source}'; digits come with scikit-learn, use auto"):
        open_digits({"source": source, "path": None})


def test_a_path_is_refused():
    with pytest.raises(UserError, match=r"dataset\.path: found 'mine'; digits come with scikit-learn, use null"):
        open_digits({"source": "auto", "path": "mine"})


@pytest.mark.parametrize(("size", "side"), [(None, 8), (16, 16)])
def test_prepared(tmp_path, size, side):
    dataset = {"name": "digits", "classes": ["seven", "one"], "train_size": 20, "test_size": 6, "image_size": size}
    prepare(dataset, 0, tmp_path)
    assert np.load(tmp_path / "train_images.npy").shape == (20, 1, side, side)
    meta = json.loads((tmp_path / "meta.json").read_text())
    assert (meta["source"], meta["classes"]) == ("digits", ["seven", "one"])
