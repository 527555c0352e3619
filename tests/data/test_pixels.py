import numpy as np
import pytest
from PIL import Image

from trakway.data.idx import DamagedFile
from trakway.data.pixels import ArrayPixels, FilePixels


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    paths = []
    for number, (width, height) in enumerate([(64, 48), (48, 64), (50, 50), (300, 40)]):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(paths[-1])
    return paths


@pytest.mark.parametrize("channels", [1, 3])
def test_array_at_its_own_size_is_left_alone(channels):
    array = np.random.default_rng(0).integers(0, 256, (5, channels, 8, 8), np.uint8)
    for size in (None, 8):
        np.testing.assert_array_equal(ArrayPixels(array).read(np.array([3, 0]), size), array[[3, 0]])
    assert ArrayPixels(array).shape(None) == (channels, 8, 8)


@pytest.mark.parametrize("channels", [1, 3])
def test_array_is_halved_by_the_antialiased_triangle_filter(channels):
    array = np.random.default_rng(1).integers(0, 256, (2, channels, 8, 8), np.uint8)
    small = ArrayPixels(array).read(np.array([1]), 4)[0]
    # Brute force: at half size the triangle spans four pixels on either axis, weights 1 3 3 1, less those outside.
    weights = np.zeros((4, 8))
    for row in range(4):
        for column, weight in zip(range(2 * row - 1, 2 * row + 3), (1, 3, 3, 1), strict=True):
            if 0 <= column < 8:
                weights[row, column] = weight
    weights /= weights.sum(1, keepdims=True)
    expected = weights @ array[1].astype(float) @ weights.T
    assert small.shape == (channels, 4, 4)
    assert np.abs(small - expected).max() <= 1.01  # rounded once an axis


def test_files_are_resized_by_the_shorter_side_and_cropped_in_the_middle(tmp_path):
    # A picture whose halves differ: a centre crop of the wide one sees both halves equally.
    wide = np.zeros((56, 112, 3), np.uint8)
    wide[:, 56:] = 200
    Image.fromarray(wide).save(tmp_path / "wide.png")
    Image.fromarray(wide.transpose(1, 0, 2)).save(tmp_path / "tall.png")
    out = FilePixels([tmp_path / "wide.png", tmp_path / "tall.png"]).read(np.array([0, 1]), 28)
    assert out.shape == (2, 3, 28, 28)
    np.testing.assert_array_equal(out[0], out[1].transpose(0, 2, 1))
    assert (out[0, :, :, :12] == 0).all()
    assert (out[0, :, :, 16:] == 200).all()


def test_a_margin_is_cropped_off(tmp_path):
    # 256 × 256 at size 224: no resize, the outer 16 pixels go.
    array = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    Image.fromarray(array).save(tmp_path / "a.png")
    out = FilePixels([tmp_path / "a.png"], 256 / 224).read(np.array([0]), 224)
    np.testing.assert_array_equal(out[0], array[16:240, 16:240].transpose(2, 0, 1))


@pytest.mark.parametrize("size", [1, 2, 7, 32, 100])
def test_every_size_and_any_number_of_threads(files, size):
    rows = np.array([3, 1, 0, 2, 1])
    one = FilePixels(files).read(rows, size)
    assert one.shape == (5, 3, size, size)
    np.testing.assert_array_equal(one, FilePixels(files).read(rows, size, threads=3))
    np.testing.assert_array_equal(one[1:2], FilePixels(files).read(rows[1:2], size))


def test_grey_files_become_rgb(tmp_path):
    Image.fromarray(np.full((9, 9), 7, np.uint8)).save(tmp_path / "grey.png")
    assert (FilePixels([tmp_path / "grey.png"]).read(np.array([0]), 8) == 7).all()


def test_damaged_file_is_named(files, tmp_path):
    files[2].write_bytes(files[2].read_bytes()[:200])
    with pytest.raises(DamagedFile, match=r"2\.png: cannot be read as an image"):
        FilePixels(files).read(np.arange(4), 8)
    with pytest.raises(DamagedFile, match="gone"):
        FilePixels([tmp_path / "gone.png"]).read(np.array([0]), 8)


def test_files_need_a_size(files):
    with pytest.raises(ValueError, match="size"):
        FilePixels(files).shape(None)
