"""Tests of figures as files."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from trakway.figures import saving
from trakway.figures.style import styled


def drawn():
    figure = Figure(figsize=(2, 1))
    figure.subplots().set_title("λ ≠ −1 → 2")
    return figure


def test_save_writes_the_same_bytes_whatever_the_day(tmp_path, monkeypatch):
    first = saving.save(drawn(), tmp_path / "new" / "first")
    assert [path.name for path in first] == ["first.png", "first.pdf"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    with matplotlib.rc_context({"savefig.dpi": 30, "pdf.fonttype": 3}):
        second = saving.save(drawn(), tmp_path / "second.v2")
    assert [path.name for path in second] == ["second.v2.png", "second.v2.pdf"]
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes()
    assert b"CreationDate" not in first[1].read_bytes()
    assert b"matplotlib" not in first[0].read_bytes().lower()


def test_png_has_150_dots_an_inch(tmp_path):
    with Image.open(saving.save(drawn(), tmp_path / "x")[0]) as image:
        assert image.size == (300, 150)


def test_render_gives_the_pixels_that_save_writes(tmp_path):
    figure = styled(drawn)()  # at 150 dots an inch, as it is saved
    with Image.open(saving.save(figure, tmp_path / "x")[0]) as image:
        np.testing.assert_array_equal(saving.render(figure), np.asarray(image.convert("RGB")))
