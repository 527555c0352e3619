"""Curves of what happens to a prediction when the examples that a method names are removed."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from trakway.figures.style import EDGE, counted, footnote, legend_beside, look, percent, reach, styled

WHICH = {"top": "most helpful", "bottom": "most harmful"}


@styled
def draw(table: pd.DataFrame, title: str = "Removing training examples and retraining", level: float = 0.95) -> Figure:
    """Draw the change of the margin without the top and without the bottom examples, and the predictions flipped.

    The random control is a grey band in every panel, whichever side it was filed under.

    Args:
        table: as ``trakway.validation.removal.evaluate`` returns it.
        title: above the figure.
        level: of the intervals, for the footnote.
    """
    sides = [side for side in WHICH if side in set(table["side"][table["method"] != "random"])] or ["top"]
    panels = [(side, "change") for side in sides] + [(sides[0], "flipped")]
    figure = Figure(figsize=(2.4 + 3.3 * len(panels), 4.4), layout="constrained")
    for axes, (side, value) in zip(np.ravel(figure.subplots(1, len(panels))), panels, strict=True):
        _panel(axes, table, side, value)
        axes.set_xlabel("Share and number removed (log scale)")
        if value == "change":
            axes.set_title(f"Margin without the {WHICH[side]}")
            axes.set_ylabel("Change of the target's margin")
            axes.axhline(0, color=EDGE, linewidth=0.8)
        else:
            axes.set_title(f"Flips without the {WHICH[side]}")
            axes.set_ylabel("Right predictions that turn wrong")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(round(share, 4))))
            axes.set_ylim(-0.02, None)
    legend_beside(figure)
    targets, seeds = int(table["targets"].max()), int(table["seeds"].max())
    trained = f"{targets} targets that are right before, {counted(seeds, 'model')} a removal"
    footnote(figure, f"{trained}; bars and grey band: {percent(level)} interval over targets")
    figure.suptitle(title)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, side: str, value: str) -> None:
    """Draw one measure of one side, the control as a band behind the methods."""
    control = table[table["method"] == "random"]
    if side in set(control["side"]):
        control = control[control["side"] == side]
    control = control.drop_duplicates("k").sort_values("k")
    if len(control):
        one = look("random")
        low, high = control[f"{value}_low"], control[f"{value}_high"]
        axes.fill_between(control["fraction"], low, high, color=one.color, alpha=0.3, linewidth=0)
        line = {"color": one.color, "linestyle": "--", "marker": one.marker, "label": f"{one.label} removal"}
        axes.plot(control["fraction"], control[value], **line)
    others = table[(table["method"] != "random") & (table["side"] == side)]
    methods = list(dict.fromkeys(others["method"]))
    # a little apart on the log axis, or the bars of one fraction would hide each other
    apart = 1.045 ** (np.arange(len(methods)) - (len(methods) - 1) / 2)
    for method, shift in zip(methods, apart, strict=True):
        part = others[others["method"] == method].sort_values("k")
        one = look(method)
        axes.errorbar(
            part["fraction"] * shift, part[value], yerr=reach(part, value), color=one.color, marker=one.marker,
            label=one.label, **one.edges, elinewidth=1, capsize=2,
        )  # fmt: skip
    ticks = table.drop_duplicates("k").sort_values("k")
    labels = [f"{percent(f)}\n{k}" for f, k in zip(ticks["fraction"].round(4), ticks["k"], strict=True)]
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks["fraction"], labels)
