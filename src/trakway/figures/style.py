"""One style for every figure: colours, names, sizes.

Colours are those of Okabe and Ito (2008), told apart by colour-blind readers too; methods beyond their eight have
darker and lighter ones, far from these. A method keeps its colour and its marker in every figure; where lines cross,
the marker says in black and white what the colour says.
"""

import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle

from trakway.plan.methods import Method, library_methods

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
ICE, LILAC = "#99DDFF", "#C3A5E0"
GREY = "#7F7F7F"
EDGE = "#333333"

RC = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E5E5E5",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 6,
    "pdf.fonttype": 42,  # text stays text
    "svg.hashsalt": "trakway",
}


class Look(NamedTuple):
    """How a method appears: in words, in colour, as a marker."""

    label: str
    color: str
    marker: str

    @property
    def edges(self) -> dict:
        """Options of a line: a thin dark edge, and the method's colour for a marker that is nothing but edge."""
        filled = self.marker in MarkerStyle.filled_markers
        return {"markeredgecolor": EDGE if filled else self.color, "markeredgewidth": 0.6 if filled else 1.8}


LOOKS = {
    # what completions are held against, no methods
    "same model": Look("Same model, new draws", ICE, "_"),
    "retrained": Look("Retrained on all data", LILAC, "|"),
}


def look(method: str) -> Look:
    """Return the look of a method; of one not known, its name, and a colour and a marker by its name."""
    return LOOKS.get(method) or _look_of(method, Method())


def introduce(methods: Mapping[str, Method]) -> None:
    """Let methods appear in figures as they declare, by the names that they have in tables.

    A method of the library under a name of its own stands beside itself: its look is one by that name.
    """
    library = library_methods()
    for name, method in methods.items():
        again = name not in library and method in library.values()
        LOOKS[name] = _look_of(name, Method() if again else method)


def _look_of(name: str, method: Method) -> Look:
    number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little")
    colors, markers = [BLUE, GREEN, PURPLE, ORANGE, SKY], "d<>8H4"
    return Look(
        method.label or name.replace("_", " "),
        method.color or colors[number % len(colors)],
        method.marker or markers[number // len(colors) % len(markers)],
    )


introduce(library_methods())


def words(name: str) -> str:
    """Write an identifier as words: ``half_subset`` → ``Half subset``."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def counted(count: float, noun: str) -> str:
    """Write a whole number of things: ``counted(1, "model")`` → ``1 model``, ``counted(2, "model")`` → ``2 models``."""
    return f"{count:.0f} {noun}{'' if count == 1 else 's'}"


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Run a drawing function in this style."""

    @functools.wraps(draw)
    def wrapped(*args, **kwargs) -> Figure:
        with in_style():
            return draw(*args, **kwargs)

    return wrapped


def in_style():
    """Return a context with matplotlib in this style, whatever the caller's settings; it leaves those as they were."""
    return matplotlib.rc_context({**matplotlib.rcParamsDefault, **RC, "backend": "agg"})


def number(value: float, form: str = ".2f") -> str:
    """Format a number with a true minus sign."""
    return format(value, form).replace("-", "\N{MINUS SIGN}")


def percent(share: float) -> str:
    """Write a share as percent: 0.95 → ``95 %``."""
    return f"{100 * share:g} %"


def reach(table: pd.DataFrame, value: str) -> np.ndarray:
    """Return how far the interval of a column reaches below and above it, as ``errorbar`` wants it: (2 × rows)."""
    centre = table[value]
    return np.clip([centre - table[f"{value}_low"], table[f"{value}_high"] - centre], 0, None)


def footnote(figure: Figure, text: str) -> None:
    """Write how to read the figure, in small letters below it."""
    figure.supxlabel(text, fontsize=8.5, color=EDGE)


def legend_beside(figure: Figure) -> None:
    """List every label of the figure once, to the right of all panels."""
    found = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    figure.legend(found.values(), found.keys(), loc="outside right center")
