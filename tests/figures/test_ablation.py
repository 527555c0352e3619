"""Tests of the ablation's small multiples."""

import pandas as pd
import pytest

from trakway.figures.ablation import draw


def table():
    values = {
        "members": [1, 2, 10], "dim": [256, 1024], "ridge": [0, 0.1], "weights": ["with Q", "without Q"],
        "projection": ["sjlt", "rademacher"], "average": ["paper", "joint"], "checkpoints": [1, 2],
    }  # fmt: skip
    rows = [(axis, str(value), 0.2 + 0.1 * i) for axis, some in values.items() for i, value in enumerate(some)]
    frame = pd.DataFrame(rows, columns=["axis", "value", "lds"])
    return frame.assign(lds_low=frame["lds"] - 0.05, lds_high=frame["lds"] + 0.05)


def test_a_panel_a_setting(check):
    figure = draw(table(), chosen={"members": 10, "projection": "sjlt"})
    check(figure)
    panels = {axes.get_xlabel(): axes for axes in figure.axes}
    assert len(panels) == 7
    members, projection = panels["Members"], panels["Projection"]
    assert [label.get_text() for label in members.get_xticklabels()] == ["1", "2", "10"]
    assert [label.get_text() for label in projection.get_xticklabels()] == ["SJLT", "Rademacher"]
    assert {label.get_rotation() for label in projection.get_xticklabels()} == {0}
    assert len(members.lines) == len(projection.lines) + 1  # numbers are joined, kinds are not
    filled = members.collections[-1].get_facecolor()
    assert (filled[:2, :3] == 1).all()
    assert (filled[2, :3] != 1).any()
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert "filled" in figure.get_supxlabel()


@pytest.mark.parametrize("count", [1, 4, 5])
def test_any_number_of_panels(check, count):
    kept = table()["axis"].unique()[:count]
    figure = draw(table()[lambda t: t["axis"].isin(kept)])
    check(figure)
    assert len(figure.axes) == count
    assert "filled" not in figure.get_supxlabel()


def test_many_long_values_are_turned():
    kinds = ["sjlt", "rademacher", "factored", "identity"]
    table = pd.DataFrame({"axis": "projection", "value": kinds, "lds": 0.5, "lds_low": 0.4, "lds_high": 0.6})
    (axes,) = draw(table).axes
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {20}
