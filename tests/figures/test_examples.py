"""Tests of the pictures of training images."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from trakway.figures.examples import examples
from trakway.figures.extremes import extremes
from trakway.figures.style import BLUE, ORANGE


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def figure_and_images(request):
    rng = np.random.default_rng(0)
    train = rng.integers(0, 256, (10, request.param, 8, 8), dtype=np.uint8)
    shown = rng.integers(0, 256, (2, request.param, 8, 8), dtype=np.uint8)
    labels = np.array(["coat", "shirt"] * 5)
    scores = np.linspace(-0.01, 0.01, 10) * np.array([[1], [1], [-1]])
    targets = pd.DataFrame({"target": [0, 2], "label": ["coat", "shirt"], "margin": [2.5, -0.25]})
    return examples(targets, shown, extremes(scores, targets["target"], 3), train, labels), train, shown


def test_images_captions_and_frames(check, figure_and_images):
    figure, train, shown = figure_and_images
    check(figure)
    assert len(figure.axes) == 2 * (1 + 3 + 3)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "coat (right)\nmargin +2.50"
    assert titles[7] == "shirt (wrong)\nmargin −0.25"
    assert titles[1:4] == ["≠ shirt\n+0.0100", "coat\n+0.0078", "≠ shirt\n+0.0056"]
    assert titles[4:7] == ["coat\n−0.0100", "≠ shirt\n−0.0078", "coat\n−0.0056"]
    for axes, title in zip(figure.axes, titles, strict=True):
        if "margin" in title:
            continue
        other = title.startswith("≠")
        frame = axes.spines["left"]
        assert frame.get_edgecolor() == to_rgba(ORANGE if other else BLUE)
        assert (frame.get_linestyle() == "-") == (not other)
    for axes, image in ((figure.axes[0], shown[0]), (figure.axes[1], train[9]), (figure.axes[4], train[0])):
        drawn = np.asarray(axes.images[0].get_array())
        np.testing.assert_array_equal(drawn if drawn.ndim == 3 else drawn[..., None], np.moveaxis(image, 0, -1))
    texts = " ".join(text.get_text() for text in figure.texts)
    assert "Most helpful" in texts
    assert "another class" in texts


@pytest.mark.parametrize(("scale", "text"), [(3e-7, "+3.0e-07"), (0.3, "+0.300"), (250, "+250"), (0.0, "+0.00")])
def test_scores_of_any_size_stay_short(check, scale, text):
    images = np.zeros((4, 1, 2, 2), np.uint8)
    targets = pd.DataFrame({"target": [0], "label": ["a"], "margin": [1.0]})
    picks = extremes(np.array([[1.0, 0, 0, -1]]) * scale, [0], 1)
    figure = examples(targets, images[:1], picks, images, np.array(["a"] * 4))
    check(figure)
    assert figure.axes[1].get_title() == f"a\n{text.replace('-', '−')}"
