"""Tests of LDS against compute."""

import pandas as pd

from trakway.figures.cost import draw
from trakway.figures.style import look


def cost():
    rows = [
        ("trak", 1, 5.0, 0.15), ("trak", 3, 15.0, 0.25), ("trak", 10, 50.0, 0.4),
        ("tracin", 1, 5.0, 0.13), ("tracin", 10, 50.0, 0.39), ("pixel", 0, 0.5, 0.05),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["method", "models", "cpu_seconds", "lds"])
    return table.assign(lds_low=table["lds"] - 0.03, lds_high=table["lds"] + 0.03, ceiling=0.8)


def test_a_line_a_method(check):
    figure = draw(cost().iloc[::-1])
    check(figure)
    (axes,) = figure.axes
    drawn = {container.get_label(): container.lines[0] for container in axes.containers}
    assert list(drawn) == ["TRAK", "TracIn", "Pixel similarity"]  # best first
    assert list(drawn["TRAK"].get_xdata()) == [5, 15, 50]
    assert list(drawn["TRAK"].get_ydata()) == [0.15, 0.25, 0.4]
    assert drawn["TRAK"].get_color() == look("trak").color
    assert axes.get_xscale() == "log"
    assert "CPU seconds" in axes.get_xlabel()
    assert "LDS" in axes.get_ylabel()
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {*drawn, "Noise ceiling 0.80"}


def test_points_carry_the_number_of_models():
    texts = [text.get_text() for text in draw(cost()).axes[0].texts]
    # TracIn at 1 and 10 models lies just below TRAK with as many: one number serves both; no models, no number
    assert sorted(texts) == ["1", "10", "3"]


def test_numbers_that_differ_are_both_written():
    table = cost()
    table.loc[table["method"] == "tracin", "models"] = [2, 20]
    assert len(draw(table).axes[0].texts) == 5


def test_one_point(check):
    check(draw(cost().iloc[:1]))
