"""Curves: how the models of each ensemble trained."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from trakway.figures.style import (
    BLUE,
    EDGE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    footnote,
    legend_beside,
    percent,
    styled,
    words,
)

COLORS = [VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY]
LINES = ["-", "--", "-.", ":"]
MARKERS = ["o", "s", "^", "D", "v"]


@styled
def training(curves: pd.DataFrame, title: str = "Training of the ensembles") -> Figure:
    """Draw loss and accuracy against epochs: a line for the median model of an ensemble, a band for the middle 90 %.

    Args:
        curves: ensemble, index, epoch (from 1), loss, accuracy (0..1; nan: not measured at that epoch).
        title: above the figure.
    """
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    for axes, value in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for place, (ensemble, part) in enumerate(curves.dropna(subset=[value]).groupby("ensemble", sort=False)):
            by_epoch = part.groupby("epoch")[value]
            middle, low, high = by_epoch.median(), by_epoch.quantile(0.05), by_epoch.quantile(0.95)
            models = part["index"].nunique()
            color = COLORS[place % len(COLORS)]
            axes.fill_between(middle.index, low, high, color=color, alpha=0.18, linewidth=0)
            axes.plot(
                middle.index, middle, color=color, linestyle=LINES[place % len(LINES)],
                marker=MARKERS[place % len(MARKERS)], markersize=5, markeredgecolor=EDGE, markeredgewidth=0.5,
                label=f"{words(str(ensemble))} ({models} model{'s' if models != 1 else ''})",
            )  # fmt: skip
        axes.set_xlabel("Epoch")
        axes.set_ylabel(words(value))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if value == "accuracy":
            axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(round(share, 6))))
        else:
            axes.set_ylim(bottom=0)
    legend_beside(figure)
    footnote(figure, "line: median model; band: the middle 90 % of the models")
    figure.suptitle(title)
    return figure
