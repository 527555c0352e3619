"""Bars: the linear datamodeling score of every method."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trakway.figures.style import EDGE, footnote, look, number, percent, reach, styled


@styled
def lds_bars(table: pd.DataFrame, title: str = "Linear datamodeling score", level: float = 0.95) -> Figure:
    """Draw a bar a method, best on top, with its interval, its value, and the noise ceiling as a dashed line.

    Args:
        table: method, lds, lds_low, lds_high, ceiling (nan: not drawn), subsets, seeds; a row a method.
        title: above the figure.
        level: of the intervals, for the footnote.
    """
    figure = Figure(figsize=(8, 1.7 + 0.36 * len(table)), layout="constrained")
    axes = figure.subplots()
    bars(axes, table)
    axes.set_xlabel("LDS: rank correlation of predicted and retrained outputs, mean over targets")
    footnote(figure, sampled(table, level))
    figure.suptitle(title)
    return figure


def bars(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the bars of one group of targets; ``table`` as for ``lds_bars``."""
    table = table.sort_values("lds", kind="stable")
    height = np.arange(len(table))
    looks = [look(method) for method in table["method"]]
    colors = [one.color for one in looks]
    axes.barh(height, table["lds"], color=colors, edgecolor=EDGE, linewidth=0.6, height=0.68)
    # white below dark: a whisker must show on a black bar as on white paper
    for width, color in ((4.0, "white"), (1.3, EDGE)):
        whisker = {"fmt": "none", "ecolor": color, "elinewidth": width, "capsize": 3}
        axes.errorbar(table["lds"], height, xerr=reach(table, "lds"), **whisker)
    for place, (value, high) in enumerate(zip(table["lds"], table["lds_high"], strict=True)):
        axes.annotate(number(value), (max(high, 0), place), (6, 0), textcoords="offset points", va="center")
    ceiling = float(table["ceiling"].iloc[0])
    if np.isfinite(ceiling):
        axes.axvline(ceiling, color=EDGE, linestyle="--", linewidth=1.3)
        at = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "center", "va": "bottom"}
        axes.annotate(f"noise ceiling {ceiling:.2f}", (ceiling, 1), (0, 3), fontsize=9, **at)
    axes.axvline(0, color=EDGE, linewidth=0.8)
    axes.set_yticks(height, [one.label for one in looks])
    axes.grid(axis="y", visible=False)
    highest = np.nanmax([ceiling, *table["lds_high"]])
    axes.set_xlim(min(0, table["lds_low"].min()) - 0.01, highest * 1.08 + 0.04)


def sampled(table: pd.DataFrame, level: float) -> str:
    """Say for a footnote how many models stand behind LDS and what its intervals cover."""
    trained = f"{table['subsets'].iloc[0]} training subsets, {table['seeds'].iloc[0]} models each"
    return f"{trained}; whiskers: {percent(level)} interval over subsets and targets"
