"""Tests of what all figures share."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from trakway.figures import style


def test_every_method_has_its_own_colour_and_marker():
    looks = style.LOOKS.values()
    for part in zip(*looks, strict=True):
        assert len(set(part)) == len(looks)


def test_a_method_without_an_entry_looks_the_same_everywhere():
    assert style.look("half_subset") == style.look("half_subset")
    assert style.look("half_subset").label == "Half subset"
    assert len({style.look(f"method_{i}")[1:] for i in range(30)}) > 10


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


def drawn():
    figure = Figure(figsize=(2, 1))
    figure.subplots().set_title("λ ≠ −1 → 2")
    return figure


def test_save_writes_the_same_bytes_whatever_the_day(tmp_path, monkeypatch):
    first = style.save(drawn(), tmp_path / "new" / "first")
    assert [path.name for path in first] == ["first.png", "first.pdf"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    with matplotlib.rc_context({"savefig.dpi": 30, "pdf.fonttype": 3}):
        second = style.save(drawn(), tmp_path / "second.v2")
    assert [path.name for path in second] == ["second.v2.png", "second.v2.pdf"]
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes()
    assert b"CreationDate" not in first[1].read_bytes()
    assert b"matplotlib" not in first[0].read_bytes().lower()


def test_png_has_150_dots_an_inch(tmp_path):
    with Image.open(style.save(drawn(), tmp_path / "x")[0]) as image:
        assert image.size == (300, 150)


def test_render_gives_the_pixels_that_save_writes(tmp_path):
    figure = style.styled(drawn)()  # at 150 dots an inch, as it is saved
    with Image.open(style.save(figure, tmp_path / "x")[0]) as image:
        np.testing.assert_array_equal(style.render(figure), np.asarray(image.convert("RGB")))
