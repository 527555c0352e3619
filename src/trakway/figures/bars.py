"""Bars of the linear datamodeling score, for one group of targets."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from trakway.figures.style import EDGE, look, number, percent, reach


def bars(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the bars of one group of targets; ``table`` as for `trakway.figures.lds.draw`."""
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
