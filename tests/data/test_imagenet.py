import numpy as np
import pytest
from PIL import Image

from trakway.data.imagenet import open_imagenet
from trakway.errors import UserError

DATASET = {"source": "auto", "path": None, "image_size": 16}


@pytest.fixture
def tree(tmp_path):
    """A folder of two classes, three training images and one test image each."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 3), ("val", 1)):
        for name in ("n02", "n01"):
            folder = tmp_path / "imagenet" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(folder / f"{number}.JPEG")
    return tmp_path / "imagenet"


def test_classes_are_the_folders(tree):
    source = open_imagenet(DATASET | {"path": str(tree)})
    assert source.classes == ("n01", "n02")
    np.testing.assert_array_equal(source.train.labels, [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(source.test.labels, [0, 1])
    assert source.train.examples.read(np.array([5, 0]), 16).shape == (2, 3, 16, 16)
    with Image.open(tree / "train" / "n02" / "1.JPEG") as image:
        expected = np.asarray(image.convert("RGB")).mean()
    assert abs(source.train.examples.read(np.array([4]), 16).mean() - expected) < 10


def test_the_crop_is_that_of_its_evaluations(tree):
    assert open_imagenet(DATASET | {"path": str(tree)}).test.examples.margin == 256 / 224


def test_what_is_missing_is_said(tmp_path, tree):
    with pytest.raises(UserError, match=r"ILSVRC2012_img_train\.tar.*image-net\.org"):
        open_imagenet(DATASET)
    with pytest.raises(UserError, match="is not a folder"):
        open_imagenet(DATASET | {"path": str(tmp_path / "nowhere")})
    with pytest.raises(UserError, match=r"dataset\.image_size"):
        open_imagenet(DATASET | {"path": str(tree), "image_size": None})
    with pytest.raises(UserError, match="'packed'; use auto or folder"):
        open_imagenet(DATASET | {"path": str(tree), "source": "packed"})
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(
        UserError, match=r"no folder train, .*img_train\.tar and ILSVRC2012_devkit_t12\.tar\.gz are missing"
    ):
        open_imagenet(DATASET | {"path": str(empty)})
    (empty / "ILSVRC2012_devkit_t12.tar.gz").write_bytes(b"")
    with pytest.raises(UserError, match=r"img_train\.tar is missing"):
        open_imagenet(DATASET | {"path": str(empty)})


def test_splits_must_agree(tree):
    (tree / "val" / "n02").rename(tree / "val" / "n03")
    with pytest.raises(UserError, match="differ in their class folders: n02, n03"):
        open_imagenet(DATASET | {"path": str(tree)})


def test_a_flat_validation_folder(tree):
    for folder in list((tree / "val").iterdir()):
        next(folder.iterdir()).rename(tree / "val" / f"{folder.name}.JPEG")
        folder.rmdir()
    with pytest.raises(UserError, match=r"val cannot be used: found no folder of a class"):
        open_imagenet(DATASET | {"path": str(tree)})
