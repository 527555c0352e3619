"""Tests of the removal curves."""

import pandas as pd
import pytest

from trakway.figures.removal_curves import draw


def table(random_side="top", methods=("trak", "pixel"), sides=("top", "bottom")):
    rows = []
    for method in (*methods, "random"):
        for side in sides if method != "random" else [random_side]:
            for k in (20, 50, 100):
                change = -k / 50 if side == "top" else k / 80
                rows.append((method, side, k, k / 1000, change, change - 0.2, change + 0.2, k / 200, k / 400, k / 150))
    columns = ["method", "side", "k", "fraction", "change", "change_low", "change_high", "flipped", "flipped_low"]
    return pd.DataFrame(rows, columns=[*columns, "flipped_high"]).assign(targets=14, seeds=2)


@pytest.mark.parametrize("random_side", ["top", "random"])
def test_three_panels_with_the_control_in_each(check, random_side):
    figure = draw(table(random_side))
    check(figure)
    assert [axes.get_title() for axes in figure.axes] == [
        "Margin without the most helpful", "Margin without the most harmful", "Flips without the most helpful",
    ]  # fmt: skip
    for axes in figure.axes:
        assert len(axes.containers) == 2  # a line with bars a method
        (band,) = [one for one in axes.collections if type(one).__name__ == "FillBetweenPolyCollection"]
        assert band.get_alpha() == 0.3
        assert [label.get_text() for label in axes.get_xticklabels()] == ["2 %\n20", "5 %\n50", "10 %\n100"]
        assert axes.get_xscale() == "log"
    top, bottom, flips = figure.axes
    assert list(top.containers[0].lines[0].get_ydata()) == [-0.4, -1, -2]
    assert list(bottom.containers[0].lines[0].get_ydata()) == [0.25, 0.625, 1.25]
    assert list(flips.containers[0].lines[0].get_ydata()) == [0.1, 0.25, 0.5]
    assert "margin" in top.get_ylabel()
    assert "wrong" in flips.get_ylabel()
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {"TRAK", "Pixel similarity", "Random removal"}
    assert "14 targets" in figure.get_supxlabel()


def test_one_side_and_no_control(check):
    figure = draw(table(sides=("top",)).query("method != 'random'"))
    check(figure)
    assert len(figure.axes) == 2
    assert all(len(axes.containers) == 2 for axes in figure.axes)


def test_control_alone(check):
    figure = draw(table(methods=()))
    check(figure)
    assert len(figure.axes) == 2
