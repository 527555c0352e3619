"""Tests of LDS along the trajectory."""

import numpy as np
import pandas as pd
import pytest

from trakway.figures.lds_timesteps import draw
from trakway.figures.style import LOOKS, look

STEPS = [100, 500, 900]


def table(methods=("random", "trak", "journey_trak"), kinds=("generated", "test"), ceiling=0.5):
    rows = [
        ("generated", step, method, 0.1 * place + step / 1e4, ceiling + step / 1e4)
        for place, method in enumerate(methods)
        for step in STEPS
    ]
    rows += [("patch top", 500, method, 0.9, 0.95) for method in methods]
    rows += [
        (kind, None, method, 0.3 - 0.1 * place, ceiling) for kind in kinds for place, method in enumerate(methods[:2])
    ]
    frame = pd.DataFrame(rows, columns=["kind", "timestep", "method", "lds", "ceiling"]).astype({"timestep": "Int64"})
    return frame.assign(lds_low=frame["lds"] - 0.05, lds_high=frame["lds"] + 0.04, subsets=64, seeds=3)


def lines(axes):
    return {container.get_label(): container.lines[0] for container in axes.containers}


def test_a_line_a_method_best_first(check):
    figure = draw(table())
    check(figure)
    axes = figure.axes[0]
    drawn = lines(axes)
    assert list(drawn) == ["journey-TRAK", "TRAK", "Random"]
    for label, method, level in (("journey-TRAK", "journey_trak", 0.2), ("Random", "random", 0.0)):
        line = drawn[label]
        assert (line.get_color(), line.get_marker()) == look(method)[1:]
        np.testing.assert_allclose(
            line.get_ydata().astype(float), level + np.array(STEPS) / 1e4
        )  # patches are left out
        np.testing.assert_allclose(line.get_xdata().astype(float), STEPS, atol=50)
    assert len({line.get_xdata()[0] for line in drawn.values()}) == 3
    assert [label.get_text() for label in axes.get_xticklabels()] == ["900", "500", "100"]
    (legend,) = figure.subfigs[0].legends
    assert {text.get_text() for text in legend.get_texts()} == {*drawn, "Noise ceiling"}
    assert "64 training subsets, 3 models each" in figure.get_supxlabel()


def test_the_ceiling_is_dashed_and_follows_t():
    (line,) = (one for one in draw(table()).axes[0].lines if one.get_linestyle() == "--")
    np.testing.assert_array_equal(line.get_xdata(), STEPS)
    np.testing.assert_allclose(line.get_ydata(), [0.51, 0.55, 0.59])


def test_whiskers_are_the_interval():
    axes = draw(table()).axes[0]
    (bars,) = axes.containers[0].lines[2]
    np.testing.assert_allclose(bars.get_segments()[0][:, 1], [0.21 - 0.05, 0.21 + 0.04])


def test_bars_of_whole_images():
    _, generated, test = draw(table()).axes
    assert (generated.get_title(), test.get_title()) == ("Final image of generated samples", "Held-out real images")
    for axes in (generated, test):
        assert [label.get_text() for label in axes.get_yticklabels()] == ["TRAK", "Random"]  # best on top
        np.testing.assert_allclose([bar.get_width() for bar in axes.patches], [0.2, 0.3])
        assert "noise ceiling 0.50" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(("kinds", "panels"), [((), 1), (("generated",), 2), (("test",), 2)])
def test_groups_that_are_not_there(check, kinds, panels):
    figure = draw(table(kinds=kinds))
    check(figure)
    assert len(figure.axes) == panels


def test_unknown_ceiling_is_left_out(check):
    figure = draw(table(ceiling=float("nan")))
    check(figure)
    assert all(line.get_linestyle() != "--" for axes in figure.axes for line in axes.lines)


def test_all_methods_fit(check):
    figure = draw(table(methods=tuple(LOOKS)), level=0.9)
    check(figure)
    assert len(lines(figure.axes[0])) == len(LOOKS)
    assert "90 % interval" in figure.get_supxlabel()


def test_same_bytes(same_bytes):
    same_bytes(lambda: draw(table(kinds=["test"])))
