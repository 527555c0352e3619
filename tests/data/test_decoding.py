"""Pictures of every mode that people have, or the reason why one is refused."""

import numpy as np
import pytest
from PIL import Image

from trakway.data.decoding import decoded
from trakway.data.idx import DamagedFile
from trakway.data.pixels import FilePixels

GREY = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
COLOURS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


def read(path):
    return np.asarray(decoded(path))


def save(path, array, mode=None, **options):
    picture = Image.fromarray(array)
    (picture if mode is None else picture.convert(mode)).save(path, **options)
    return path


def test_pictures_of_the_wanted_size_stay_as_they_are(tmp_path):
    out = FilePixels([save(tmp_path / "a.png", COLOURS)]).read(np.array([0]), 32)
    np.testing.assert_array_equal(out[0], COLOURS.transpose(2, 0, 1))


def test_only_the_excess_is_cropped(tmp_path):
    wide = np.concatenate([COLOURS[:, :4], COLOURS, COLOURS[:, :6]], axis=1)
    out = FilePixels([save(tmp_path / "wide.png", wide)]).read(np.array([0]), 32)
    np.testing.assert_array_equal(out[0], wide[:, 5:37].transpose(2, 0, 1))


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_of_grey(tmp_path, ending):
    deep = (GREY.astype(np.uint16) * 257)[..., None].repeat(3, 2)[..., 0]
    found = read(save(tmp_path / f"deep.{ending}", deep))
    np.testing.assert_array_equal(found, GREY[..., None].repeat(3, 2))


def test_thirty_two_bits_are_read_where_they_hold_sixteen(tmp_path):
    found = read(save(tmp_path / "deep.tif", GREY.astype(np.int32) * 257))
    np.testing.assert_array_equal(found, GREY[..., None].repeat(3, 2))
    with pytest.raises(DamagedFile, match=r"more\.tif: .*mode I with values from 0 to 248000: found no 16-bit grey"):
        read(save(tmp_path / "more.tif", GREY.astype(np.int32) * 1000))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P"])
def test_plain_modes(tmp_path, mode):
    picture = Image.fromarray(COLOURS).convert(mode)
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png"), np.asarray(picture.convert("RGB")))


def test_what_is_transparent_is_white_whatever_its_colour_was(tmp_path):
    for mode, array in (("RGBA", np.zeros((8, 8, 4), np.uint8)), ("LA", np.zeros((8, 8, 2), np.uint8))):
        array[:4, :, -1] = 255
        found = read(save(tmp_path / f"{mode}.png", array))
        assert (found[:4] == 0).all()
        assert (found[4:] == 255).all()


def test_a_transparent_colour_of_a_palette(tmp_path):
    palette = Image.fromarray(np.repeat([0, 1], 32).astype(np.uint8).reshape(8, 8), mode="P")
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.save(tmp_path / "a.png", transparency=0)
    found = read(tmp_path / "a.png")
    assert (found[:4] == 255).all()
    assert (found[4:] == [200, 100, 50]).all()


def test_photographs_stand_upright(tmp_path):
    picture = Image.fromarray(COLOURS)
    exif = picture.getexif()
    exif[274] = 6  # turned by the camera: a quarter clockwise makes it upright
    picture.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), np.rot90(COLOURS, -1))


def test_what_cannot_be_read_is_refused_by_name(tmp_path, monkeypatch):
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "real.tif")
    with pytest.raises(DamagedFile, match=r"real\.tif: .*mode F"):
        decoded(tmp_path / "real.tif")
    save(tmp_path / "large.png", COLOURS)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DamagedFile, match=r"large\.png: the picture is larger than Pillow opens"):
        decoded(tmp_path / "large.png")
