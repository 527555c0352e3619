"""Tests of pages of pictures."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from trakway.data.centred import to_bytes
from trakway.figures.pictures import Page, frame, score_format
from trakway.figures.style import BLUE, ORANGE


def test_an_image_lies_where_it_was_put():
    page = Page(4, 2)
    axes = page.image(1, 0.5, 1, np.zeros((1, 3, 3), np.uint8))
    box = axes.get_position()
    np.testing.assert_allclose((box.x0, box.x1, box.y0, box.y1), (0.25, 0.5, 0.25, 0.75))


def test_text_lies_where_it_was_put():
    page = Page(4, 2)
    page.write(1, 0.5, "here", 9, ha="right")
    (text,) = page.figure.texts
    assert text.get_position() == (0.25, 0.75)
    assert (text.get_text(), text.get_fontsize(), text.get_ha()) == ("here", 9, "right")


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_shown_as_they_are(channels):
    image = np.random.default_rng(0).integers(0, 256, (channels, 4, 4), dtype=np.uint8)
    (shown,) = Page(2, 2).image(0, 0, 1, image).images
    drawn = np.asarray(shown.get_array()).reshape(4, 4, channels)
    np.testing.assert_array_equal(drawn, np.moveaxis(image, 0, -1))
    assert shown.get_interpolation() == "nearest"
    assert channels == 3 or shown.get_clim() == (0, 255)


@pytest.mark.parametrize(("dashed", "color"), [(False, BLUE), (True, ORANGE)])
def test_frames_differ_in_colour_and_line(dashed, color):
    axes = Page(2, 2).image(0, 0, 1, np.zeros((1, 2, 2), np.uint8))
    frame(axes, dashed)
    for spine in axes.spines.values():
        assert spine.get_visible()
        assert spine.get_edgecolor() == to_rgba(color)
        assert (spine.get_linestyle() == "-") == (not dashed)


@pytest.mark.parametrize(
    ("scores", "text"),
    [([1e-5, -3e-7], "+1.0e-05"), ([0.02, -0.3], "+0.020"), ([5.0, -250], "+5"), ([0.0], "+0.00"), ([], "+1.00")],
)
def test_one_format_suits_the_largest_score(scores, text):
    assert format((scores or [1.0])[0], score_format(np.array(scores))) == text


def test_pixels_of_diffusion_models_become_bytes():
    found = to_bytes(np.array([-7.0, -1, -0.5, 0, 0.5, 1, 7]))
    assert found.dtype == np.uint8
    assert found.tolist() == [0, 0, 64, 128, 191, 255, 255]
