"""Tests of the curves of distribution shifts."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from trakway.figures.shift_curves import draw
from trakway.figures.style import look

KS = [10, 50, 100]


def table(timesteps=(300, 700), ks=tuple(KS)):
    rows = []
    for t in timesteps:
        rows += [("same model", t, 0, 1.0), ("retrained", t, 0, 2.0)]
        rows += [("journey_trak", t, k, t / 100 + k / 10) for k in ks] + [("trak", t, ks[-1], 5.0)]
        rows += [("random", t, k, 2.5) for k in ks]
    frame = pd.DataFrame(rows, columns=["method", "timestep", "k", "fid"])
    frame["kid"] = frame["fid"] / 1000
    for name in ("fid", "kid"):
        frame[f"{name}_low"], frame[f"{name}_high"] = frame[name] * 0.9, frame[name] * 1.2
    frame["seeds"] = np.where(frame["k"] > 0, 2, 1)
    return frame.assign(targets=6, completions=100, features="classifier on digits: resnet_small")


def containers(axes):
    return {container.get_label(): container for container in axes.containers}


def test_a_column_a_timestep_fid_above_kid(check):
    figure = draw(table())
    check(figure)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["Completions from xₜ, t = 700", "Completions from xₜ, t = 300", "", ""]
    assert [axes.get_ylabel() for axes in figure.axes] == ["FID", "", "KID", ""]
    for axes, t, scale in zip(figure.axes, (700, 300, 700, 300), (1, 1, 1e-3, 1e-3), strict=True):
        drawn = containers(axes)
        assert set(drawn) == {"Random removal", "journey-TRAK", "TRAK"}
        line = drawn["journey-TRAK"].lines[0]
        np.testing.assert_allclose(line.get_ydata().astype(float), scale * (t / 100 + np.array(KS) / 10))
        np.testing.assert_allclose(line.get_xdata().astype(float), KS, rtol=0.05)
        assert line.get_color() == look("journey_trak").color
        assert axes.get_xscale() == "log"
    for axes in figure.axes[2:]:
        assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "50", "100"]
    (legend,) = figure.legends
    labels = {text.get_text() for text in legend.get_texts()}
    assert labels == {"Same model, new draws", "Retrained on all data", "Random removal", "journey-TRAK", "TRAK"}
    for part in ("6 samples", "2 models a removal", "100 completions", "classifier on digits: resnet_small"):
        assert part in figure.get_supxlabel()
    assert "1 model a removal" in draw(table().assign(seeds=1)).get_supxlabel()


def test_bands_are_intervals():
    axes = draw(table()).axes[0]
    bands = {patch.get_facecolor()[:3]: (patch.get_y(), patch.get_y() + patch.get_height()) for patch in axes.patches}
    np.testing.assert_allclose(bands[to_rgba(look("same model").color)[:3]], (0.9, 1.2))
    np.testing.assert_allclose(bands[to_rgba(look("retrained").color)[:3]], (1.8, 2.4))
    (band,) = [one for one in axes.collections if type(one).__name__ == "FillBetweenPolyCollection"]
    box = band.get_paths()[0].get_extents()
    np.testing.assert_allclose((box.y0, box.y1), (2.25, 3.0))
    assert band.get_facecolor()[0, :3] == pytest.approx(to_rgba(look("random").color)[:3])
    (bars,) = containers(axes)["journey-TRAK"].lines[2]
    np.testing.assert_allclose(bars.get_segments()[0][:, 1], (0.9 * 8, 1.2 * 8))


def test_one_timestep_and_one_k(check):
    figure = draw(table([500], [50]))
    check(figure)
    assert len(figure.axes) == 2


def test_no_retrained_models(check):
    figure = draw(table().query("method != 'retrained'"))
    check(figure)
    assert all(len(axes.patches) == 1 for axes in figure.axes)


def test_same_bytes(same_bytes):
    same_bytes(lambda: draw(table([500])))
