import numpy as np
import pytest
from PIL import Image

from trakway.data.image_folder import open_image_folder
from trakway.errors import UserError

DATASET = {"source": "auto", "image_size": 8}


@pytest.fixture
def write(tmp_path):
    """Write pictures into folders of classes below a folder."""
    rng = np.random.default_rng(0)

    def write(*folders, count=8):
        for name in folders:
            folder = tmp_path / "photos" / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(folder / f"{number}.png")
        return tmp_path / "photos"

    return write


def opened(folder, **changes):
    return open_image_folder(DATASET | {"path": str(folder)} | changes)


def test_a_quarter_is_for_testing_where_there_are_no_splits(write):
    source = opened(write("dog", "cat"))
    assert (source.name, source.classes) == ("photos", ("cat", "dog"))
    assert (len(source.train.labels), len(source.test.labels)) == (12, 4)
    rows = np.concatenate([source.train.ids, source.test.ids])
    assert sorted(rows) == list(range(16))
    labels = np.concatenate([source.train.labels, source.test.labels])
    np.testing.assert_array_equal(labels, rows >= 8)


@pytest.mark.parametrize("name", ["test", "val"])
def test_splits_of_their_own(write, name):
    write("train/cat", "train/dog")
    source = opened(write(f"{name}/cat", f"{name}/dog", count=2))
    assert (len(source.train.labels), len(source.test.labels)) == (16, 4)


def test_pictures_stay_as_they_are(write):
    folder = write("cat", "dog")
    source = opened(folder)
    row = int(np.flatnonzero(source.train.ids == 0)[0]) if 0 in source.train.ids else None
    split, row = (source.train, row) if row is not None else (source.test, int(np.flatnonzero(source.test.ids == 0)[0]))
    expected = np.asarray(Image.open(folder / "cat/0.png")).transpose(2, 0, 1)
    np.testing.assert_array_equal(split.examples.read(np.array([row]), 8)[0], expected)


def test_what_is_hidden_is_left_out(write):
    source = opened(write("cat", "dog", ".ipynb_checkpoints", "cat/.thumbnails"))
    assert source.classes == ("cat", "dog")
    assert len(source.train.labels) + len(source.test.labels) == 16


@pytest.mark.parametrize(
    ("folders", "changes", "message"),
    [
        (("cat",), {"path": None}, "needs the folder that holds a folder of pictures a class"),
        (("cat",), {"path": "nowhere"}, "there is no folder nowhere"),
        (("cat",), {"image_size": None}, r"dataset\.image_size"),
        (("cat",), {"source": "packed"}, "'packed'; use auto or folder"),
        (("train/cat",), {}, "found train in .*; allowed: train and one of test and val"),
        (("train/cat", "test/cat", "val/cat"), {}, "found train, test, val"),
        (("train/cat", "test/dog"), {}, "differ in their class folders: cat, dog"),
        (("Train/cat", "Test/cat"), {}, "found Test, Train in .*, as splits are called, and no train; allowed: train"),
        ((), {}, "cannot be used: found no folder of a class"),
    ],
)
def test_mistakes(write, folders, changes, message):
    folder = write(*folders)
    folder.mkdir(exist_ok=True)
    with pytest.raises(UserError, match=message):
        opened(folder, **changes)


def test_a_class_without_a_picture_is_named(write):
    folder = write("cat", "dog")
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match="empty"):
        opened(folder)


def test_pictures_that_are_not_read_are_told(write):
    folder = write("cat", "dog")
    (folder / "cat/notes.txt").write_text("no picture")
    opened(folder)
    (folder / "cat/0.png").rename(folder / "cat/0.jfif")
    with pytest.raises(
        UserError, match=r"found 1 pictures that are not read, e.g. cat/0.jfif; allowed: files that end"
    ):
        opened(folder)
