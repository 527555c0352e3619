import numpy as np
import pytest
from PIL import Image

from trakway.explorer import pictures
from trakway.explorer.pictures import write_sheets


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_lie_row_by_row(tmp_path, monkeypatch, channels):
    monkeypatch.setattr(pictures, "A_FILE", 40)
    images = np.random.default_rng(0).integers(0, 256, (90, channels, 5, 7)).astype(np.uint8)
    found = write_sheets(tmp_path, "train", images)
    assert (found["each"], found["width"], found["height"]) == (40, 7, 5)
    assert [(one["columns"], one["rows"]) for one in found["files"]] == [(32, 2), (32, 2), (10, 1)]
    for number, image in enumerate(images):
        one, place = found["files"][number // 40], number % 40
        sheet = np.asarray(Image.open(tmp_path / one["file"])).reshape(5 * one["rows"], 7 * one["columns"], channels)
        top, left = place // one["columns"] * 5, place % one["columns"] * 7
        np.testing.assert_array_equal(sheet[top : top + 5, left : left + 7], np.moveaxis(image, 0, -1))


def test_large_pictures_become_small_and_many_become_smaller_files(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "LOSSLESS", 1000)
    images = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None, None], (256, 3, 96, 192))[::16]
    (file,) = write_sheets(tmp_path, "large", images)["files"]
    assert file["file"] == "pictures/large-0.webp"
    sheet = Image.open(tmp_path / file["file"])
    assert sheet.size == (64 * 16, 32)
    tones = np.asarray(sheet.convert("L"))[16, 32::64].astype(int)
    assert np.abs(tones - np.arange(0, 256, 16)).max() < 4


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (9, 1, 8, 8)).astype(np.uint8)
    files = [tmp_path / name / write_sheets(tmp_path / name, "x", images)["files"][0]["file"] for name in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()
