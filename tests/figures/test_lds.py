"""Tests of the bars of LDS."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgba

from trakway.figures.lds import draw
from trakway.figures.style import LOOKS, VERMILION


def table(ceiling=0.8):
    rows = [("random", -0.01), ("trak", 0.42), ("pixel", 0.07)]
    frame = pd.DataFrame(rows, columns=["method", "lds"])
    frame = frame.assign(lds_low=frame["lds"] - 0.05, lds_high=frame["lds"] + 0.04, ceiling=ceiling)
    return frame.assign(kind="test", timestep=pd.NA, subsets=50, seeds=3)


def test_bars_best_on_top(check):
    figure = draw(table())
    check(figure)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Random", "Pixel similarity", "TRAK"]
    assert [bar.get_width() for bar in axes.patches] == [-0.01, 0.07, 0.42]
    assert axes.patches[-1].get_facecolor() == to_rgba(VERMILION)
    texts = [text.get_text() for text in axes.texts]
    assert {"−0.01", "0.07", "0.42", "noise ceiling 0.80"} == set(texts)
    assert "LDS" in axes.get_xlabel()
    assert "50 training subsets, 3 models each" in figure.get_supxlabel()


def test_whiskers_are_the_interval(check):
    figure = draw(table())
    whisker = figure.axes[0].collections[-1].get_segments()[-1]
    np.testing.assert_allclose(whisker[:, 0], [0.37, 0.46])


def dashed(axes):
    return [line for line in axes.lines if line.get_linestyle() == "--"]


def test_ceiling_is_dashed_and_left_out_if_unknown(check):
    (line,) = dashed(draw(table()).axes[0])
    assert set(line.get_xdata()) == {0.8}
    figure = draw(table(float("nan")))
    check(figure)
    assert dashed(figure.axes[0]) == []


def test_all_methods_fit(check):
    one = table().iloc[:1]
    figure = draw(pd.concat([one.assign(method=method) for method in [*LOOKS, "some_new_method"]]), level=0.9)
    check(figure)
    assert len(figure.axes[0].patches) == len(LOOKS) + 1
    assert "90 % interval" in figure.get_supxlabel()
