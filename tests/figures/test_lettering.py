import matplotlib
import pytest
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trakway.figures import lettering
from trakway.figures.lettering import written
from trakway.figures.style import in_style

NONE_HAS = "\U0001f9a9"  # a flamingo


@pytest.fixture
def only_dejavu(monkeypatch):
    """A machine with the fonts of matplotlib and no others."""
    entries = [e for e in font_manager.fontManager.ttflist if "matplotlib" in e.fname or "DejaVu" in e.name]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", entries)
    lettering._family.cache_clear()
    lettering._say.cache_clear()
    yield
    lettering._family.cache_clear()


def test_usual_names_stay_as_they_are(only_dejavu):
    for text in ("coat", "größer", "кот", "γάτα", "t-shirt [old]", ""):
        assert written(text) == written(text, inches=2) == text


@pytest.mark.parametrize(
    "text", ["a very long name of a class indeed", "ein_Klassenname_ohne_Zwischenraum_und_ohne_Ende"]
)
def test_long_names_fit(text):
    found = written(text, inches=1.0, size=8)
    assert found.endswith("…")
    assert text.startswith(found[:-1])
    figure = Figure(figsize=(6, 1))
    renderer = FigureCanvasAgg(figure).get_renderer()
    assert figure.text(0, 0.5, found, fontsize=8).get_window_extent(renderer).width / figure.dpi <= 1.0


def test_letters_that_no_font_has(only_dejavu, capsys):
    assert written(f"a {NONE_HAS} bird 猫") == "a [U+1F9A9] bird [U+732B]"
    said = capsys.readouterr().err
    assert said.startswith(f"note: no font on this machine has {NONE_HAS}, 猫: figures show the letters' numbers")
    written(f"another {NONE_HAS}猫")
    assert capsys.readouterr().err == ""


def test_a_font_that_has_them_is_taken(monkeypatch, only_dejavu):
    """Of two fonts beside the style's own, the one with the letter joins them; nothing stays so after the figure."""

    class Font:
        def __init__(self, file):
            self.file = file

        def get_char_index(self, letter):
            return int(chr(letter) in {"cats.ttf": "猫", "birds.ttf": NONE_HAS}.get(self.file, "abc "))

    monkeypatch.setattr(lettering, "FT2Font", Font)
    entries = [font_manager.FontEntry(fname=f"{name}.ttf", name=name) for name in ("birds", "cats")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", font_manager.fontManager.ttflist + entries)
    with in_style():
        assert written("a 猫") == "a 猫"
        assert matplotlib.rcParams["font.family"] == ["DejaVu Sans", "cats"]
        assert Figure().text(0, 0, "a 猫").get_fontfamily() == ["DejaVu Sans", "cats"]
    assert "cats" not in matplotlib.rcParams["font.family"]
