"""Tests of the pictures of patches."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgba

from trakway.figures.localisation import localisation
from trakway.figures.style import BLUE, ORANGE

BOX = [1, 2, 3, 4]


def material():
    rng = np.random.default_rng(0)
    train, estimates = (rng.integers(0, 256, (n, 1, 8, 8), dtype=np.uint8) for n in (20, 2))
    patches = pd.DataFrame(
        {"target": [0, 4], "timestep": [500, 100], "patch": ["lower_left", "top"], "entry": [7, 8], "whole": [1, 2]}
    ).assign(box=[BOX, [0, 0, 8, 8]])
    named = {7: [3, 4], 1: [4, 5], 8: [6, 3], 2: [9, 10]}
    rows = [
        (entry, side, rank, row + (side == "harmful"), 0.2 / (1 + rank))
        for entry, some in named.items()
        for side in ("helpful", "harmful")
        for rank, row in enumerate(some)
    ]
    picks = pd.DataFrame(rows, columns=["target", "side", "rank", "row", "score"])
    return patches, estimates, picks, train


def outlines(axes):
    return [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in axes.patches]


def test_images_for_the_patch_beside_those_for_the_whole(check):
    patches, estimates, picks, train = material()
    figure = localisation(patches, estimates, picks, train, title="here")
    check(figure)
    assert len(figure.axes) == 2 * (1 + 2 + 2)
    first, second = figure.axes[:5], figure.axes[5:]
    assert first[0].get_title() == "sample 0, t = 500\nLower left"
    assert second[0].get_title() == "sample 4, t = 100\nTop"
    for line, images in (
        (first, [estimates[0], *train[[3, 4, 4, 5]]]),
        (second, [estimates[1], *train[[6, 3, 9, 10]]]),
    ):
        for axes, image in zip(line, images, strict=True):
            np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), image[0])
        assert [axes.get_xlabel() for axes in line] == ["", "+0.200", "+0.100", "+0.200", "+0.100"]
        left = [axes.get_position().x0 for axes in line]
        assert left == sorted(left)
    texts = " ".join(text.get_text() for text in figure.texts)
    assert "for the patch" in texts
    assert "for the whole image" in texts
    assert "here" in texts


def test_the_patch_is_outlined_in_the_target_and_its_images_alone():
    figure = localisation(*material())
    target, *images = figure.axes[:5]
    for axes in (target, *images[:2]):
        assert set(outlines(axes)) == {(1.5, 0.5, 4, 3)}  # pixel (1, 2) of 3 rows and 4 columns, half a pixel out
    assert [outlines(axes) for axes in images[2:]] == [[], []]
    assert target.patches[-1].get_linewidth() > images[0].patches[-1].get_linewidth()


def test_an_image_named_for_both_is_dashed():
    figure = localisation(*material())
    frames = [axes.spines["left"].get_edgecolor() for axes in figure.axes if axes.get_xlabel()]
    assert frames == [to_rgba(color) for color in (BLUE, ORANGE, ORANGE, BLUE, BLUE, BLUE, BLUE, BLUE)]


def test_same_bytes(same_bytes):
    same_bytes(lambda: localisation(*material()))
