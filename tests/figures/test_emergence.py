"""Tests of the curves of emergence."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from trakway.figures.emergence import draw
from trakway.figures.style import YELLOW, look

STEPS = [900, 500, 300, 100]


def table(
    targets=(0, 1, 2, 3), groups=(("original", None, 0), ("removed", "journey_trak", 50), ("random", "random", 50))
):
    rows = [
        (
            target,
            None if target == -1 else "coat",
            None if target == -1 else 300,
            step,
            *group,
            0.9 - step / 1000 - drop / 10,
        )
        for target in (*targets, -1)
        for drop, group in enumerate(groups)
        for step in STEPS
    ]
    columns = ["target", "label", "emergence_timestep", "timestep", "group", "method", "k", "probability"]
    frame = pd.DataFrame(rows, columns=columns)
    low, high = frame["probability"] - 0.05, frame["probability"] + 0.1
    return frame.assign(probability_low=low, probability_high=high)


def windows(axes):
    return [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]


def test_the_mean_and_some_samples(check):
    figure = draw(table(), count=2)
    check(figure)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["Mean over 4 samples", "Sample 0, class coat", "Sample 1, class coat"]
    original, removed, control = figure.axes[1].lines
    for line, drop in ((original, 0), (removed, 0.1), (control, 0.2)):
        order = np.argsort(line.get_xdata())
        np.testing.assert_array_equal(line.get_xdata()[order], sorted(STEPS))
        np.testing.assert_allclose(line.get_ydata()[order], 0.9 - np.sort(STEPS) / 1000 - drop)
    assert removed.get_color() == look("journey_trak").color
    assert control.get_color() == look("random").color
    assert control.get_linestyle() == "--"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "Original model", "Without 50 images named by\njourney-TRAK", "Without 50 images at random",
    ]  # fmt: skip
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["900", "500", "300", "100"]


def test_the_window_is_shaded_where_there_is_one():
    mean, sample, *_ = draw(table()).axes
    assert windows(mean) == []
    assert windows(sample) == [(200, 400)]
    assert sample.patches[0].get_facecolor()[:3] == to_rgba(YELLOW)[:3]


def test_bands_are_intervals():
    bands = [one for one in draw(table()).axes[1].collections if type(one).__name__ == "FillBetweenPolyCollection"]
    boxes = [band.get_paths()[0].get_extents() for band in bands]
    np.testing.assert_allclose([(box.y0, box.y1) for box in boxes], [(-0.05, 0.9), (-0.15, 0.8), (-0.25, 0.7)])


@pytest.mark.parametrize(("count", "panels"), [(0, 1), (3, 4), (4, 5)])
def test_any_number_of_panels(check, count, panels):
    figure = draw(table(), count=count)
    check(figure)
    assert len(figure.axes) == panels


def test_without_removal(check):
    figure = draw(table(groups=[("original", None, 0)]))
    check(figure)
    assert all(len(axes.lines) == 1 for axes in figure.axes)


def test_same_bytes(same_bytes):
    same_bytes(lambda: draw(table(), count=1))
