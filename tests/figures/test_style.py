"""Tests of what all figures share."""

import matplotlib
import pandas as pd
import pytest
from matplotlib.figure import Figure

from trakway.figures import style
from trakway.plan import Method, library_methods


def test_every_method_has_its_own_colour_and_marker():
    looks = style.LOOKS.values()
    for part in zip(*looks, strict=True):
        assert len(set(part)) == len(looks)


def test_a_method_without_an_entry_looks_the_same_everywhere():
    assert style.look("half_subset") == style.look("half_subset")
    assert style.look("half_subset").label == "half subset"
    assert style.look("mine") == ("mine", *style.look("mine")[1:])
    assert len({style.look(f"method_{i}")[1:] for i in range(30)}) > 10


def test_a_method_looks_as_it_declares(monkeypatch):
    monkeypatch.setattr(style, "LOOKS", dict(style.LOOKS))
    assert style.look("trak") == ("TRAK", "#D55E00", "o")
    style.introduce({"mine": Method(label="My own", marker="o"), "other": Method(label="TRAK 2", color="#123456")})
    assert style.look("mine").label == "My own"
    assert style.look("mine").marker == "o"
    assert style.look("other")[:2] == ("TRAK 2", "#123456")


def test_a_method_of_the_library_under_another_name_is_told_from_itself(monkeypatch):
    monkeypatch.setattr(style, "LOOKS", dict(style.LOOKS))
    trak = library_methods()["trak"]
    style.introduce({"trak": trak, "trak_of_one": trak})
    assert style.look("trak").label == "TRAK"
    assert style.look("trak_of_one").label == "trak of one"
    assert style.look("trak_of_one").color != style.look("trak").color


@pytest.mark.parametrize(("value", "form", "text"), [(-0.012, ".2f", "−0.01"), (3, "+.1f", "+3.0")])
def test_number(value, form, text):
    assert style.number(value, form) == text


@pytest.mark.parametrize(("share", "text"), [(0.95, "95 %"), (0.025, "2.5 %"), (1, "100 %")])
def test_percent(share, text):
    assert style.percent(share) == text


def test_reach_is_never_negative():
    table = pd.DataFrame({"x": [1.0, 2.0], "x_low": [0.5, 2.1], "x_high": [1.5, 2.5]})
    assert style.reach(table, "x").tolist() == [[0.5, 0.0], [0.5, 0.5]]


def test_style_ignores_and_keeps_the_callers():
    @style.styled
    def draw() -> Figure:
        assert matplotlib.rcParams["font.size"] == style.RC["font.size"]
        return Figure()

    with matplotlib.rc_context({"font.size": 33}):
        draw()
        assert matplotlib.rcParams["font.size"] == 33
