import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trakway.data import prepare
from trakway.data.captioned import CaptionData, Captioned
from trakway.data.pixels import ArrayPixels, FilePixels
from trakway.errors import UserError

REPOSITORY = Path(__file__).parents[2]
PIXELS = ArrayPixels(np.random.default_rng(0).integers(0, 256, (6, 3, 8, 8), np.uint8))
CAPTIONS = [["ein Hund", "a dog"], ["猫"], ("a", "b", "c"), ["x, y"], ['"q"'], ["line\nbreak"]]


@pytest.fixture
def own(tmp_path):
    """Write a data set of a user's own with these pictures, and prepare it."""

    def own(captions, **settings):
        np.save(tmp_path / "pixels.npy", PIXELS.array)
        (tmp_path / "own.py").write_text(
            "import numpy as np\nfrom trakway.data.captioned import Captioned\n"
            "from trakway.data.pixels import ArrayPixels\nfrom trakway.data.source import Source, Split\n"
            "from trakway.plan.datasets import Dataset\n"
            'DATASET = Dataset(kind="captioned", side=8)\n'
            "def open_own(dataset):\n"
            f"    pixels, captions = np.load({str(tmp_path / 'pixels.npy')!r}), {captions!r}\n"
            "    examples = Captioned(ArrayPixels(pixels), captions)\n"
            "    split = Split(examples, np.zeros(6, int), np.arange(6))\n"
            "    return Source('own', 'mine', ('all',), split, split)\n"
        )
        prepare({"name": f"{tmp_path}/own.py:open_own"} | settings, 0, tmp_path / "out")
        return tmp_path / "out"

    return own


@pytest.mark.parametrize("captions", [CAPTIONS, [["one", "two"]] * 6, [["one"]] * 6])
def test_captions_come_back_with_their_pictures(own, captions):
    folder = own(captions)
    found, table = CaptionData.load(folder), pd.read_parquet(folder / "examples.parquet")
    for split, images in (("train", found.images.train_images), ("test", found.images.test_images)):
        ids = table.loc[table["split"] == split, "id"].to_numpy()
        assert sorted(ids) == list(range(6))
        assert found.captions[split] == [list(captions[row]) for row in ids]
        assert {type(of_one) for of_one in found.captions[split]} == {list}
        np.testing.assert_array_equal(images, PIXELS.array[ids])
    assert table["caption"].tolist() == [captions[row][0] for row in table["id"]]
    np.testing.assert_allclose(found.images.mean, PIXELS.array.mean((0, 2, 3)) / 255)
    assert found.images.classes == ("all",)


def test_a_draw_and_a_size(own):
    found = CaptionData.load(own(CAPTIONS, train_size=3, image_size=16))
    assert found.images.train_images.shape == (3, 3, 16, 16)
    assert len(found.captions["train"]) == 3


@pytest.mark.parametrize(
    ("captions", "message"),
    [
        (CAPTIONS[:5], "here: found captions of 5 pictures and 6 pictures; allowed: a list of captions for each"),
        ([*CAPTIONS[:5], []], "here: found a caption that is missing or empty: picture 6; allowed: a list of one or"),
        ([*CAPTIONS[:5], ["a", " "]], "missing or empty: picture 6"),
        ([["a", None], *CAPTIONS[1:4], [""], ["b"]], "missing or empty: picture 1, picture 5; .* leave the pictures"),
        (["a dog", *CAPTIONS[1:]], "missing or empty: picture 1; allowed: a list"),
        ([None] * 6, r"picture 1, .*, picture 5 … \(6 in all\)"),
    ],
)
def test_captions_that_are_none(captions, message):
    with pytest.raises(UserError, match=message):
        Captioned(PIXELS, captions, "here")


def test_files_are_named():
    with pytest.raises(UserError, match="the data: .* missing or empty: photos/b.png"):
        Captioned(FilePixels(["photos/a.png", "photos/b.png"]), [["a"], []])


def test_images_alone_have_no_captions(prepared):
    with pytest.raises(UserError, match="not a whole data set of pictures with captions .*'captions'"):
        CaptionData.load(prepared)


def test_damaged_data(own, tmp_path):
    folder = own(CAPTIONS)
    table = pd.read_parquet(folder / "examples.parquet")
    table.assign(captions=[[]] * 12).to_parquet(folder / "examples.parquet")
    with pytest.raises(UserError, match="a picture without a caption.*prepare the data again"):
        CaptionData.load(folder)
    (folder / "train_images.npy").unlink()
    with pytest.raises(UserError, match="not a whole data set"):
        CaptionData.load(folder)


@pytest.mark.parametrize(("labels", "captions"), [([0, 0], [["one"], ["two"]]), ([0, 1], [["same"], ["same"]])])
def test_captions_of_one_class_are_not_exchanged(captioned, labels, captions):
    images = replace(CaptionData.load(captioned).images, train_labels=np.array(labels))
    found = CaptionData(images, {"train": captions, "test": captions})
    found.check_exchange(0)
    words = (
        r"targets.exchanged: found 2, and the dataset has captions of one class only, \w+; allowed: 0, .* set it to 0"
    )
    with pytest.raises(UserError, match=words):
        found.check_exchange(2)
    CaptionData(replace(images, train_labels=np.array([0, 1])), {"train": [["one"], ["two"]]}).check_exchange(2)


def test_the_step_of_the_data_tells_that_captions_cannot_be_exchanged(tmp_path):
    for number in range(4):
        Image.new("L", (8, 8), 40 * number).save(tmp_path / f"{number}.png")
        (tmp_path / f"{number}.txt").write_text(f"caption {number}")
    dataset = {"name": "captioned_folder", "path": str(tmp_path), "image_size": 8}
    settings = json.dumps({"seed": 0, "dataset": dataset})
    script = [sys.executable, REPOSITORY / "scripts/prepare_data.py", "--settings", settings]
    script += ["--output", tmp_path / ".out", "--exchanged"]  # hidden from the pictures
    done = [subprocess.run([*script, count], capture_output=True, text=True, check=False) for count in ("0", "2")]
    assert [run.returncode for run in done] == [0, 1]
    assert "error: targets.exchanged: found 2, and the dataset has captions of one class only, all;" in done[1].stderr
