"""How the models of each ensemble trained, and how accurate they became."""

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
    percent,
    styled,
    words,
)

COLORS = [VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY]
LINES = ["-", "--", "-.", ":"]
MARKERS = ["o", "s", "^", "D", "v"]


@styled
def training(curves: pd.DataFrame, models: pd.DataFrame, title: str = "Training of the ensembles") -> Figure:
    """Draw loss against epochs and final test accuracy, an ensemble each: the median model and the middle 90 %.

    Args:
        curves: ensemble, index, epoch (from 1), loss.
        models: ensemble, index, accuracy (0..1).
        title: above the figure.
    """
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = list(dict.fromkeys(curves["ensemble"]))
    for place, ensemble in enumerate(names):
        style = {
            "color": COLORS[place % len(COLORS)],
            "marker": MARKERS[place % len(MARKERS)],
            "markersize": 5,
            "markeredgecolor": EDGE,
            "markeredgewidth": 0.5,
        }
        by_epoch = curves[curves["ensemble"] == ensemble].groupby("epoch")["loss"]
        middle, low, high = by_epoch.median(), by_epoch.quantile(0.05), by_epoch.quantile(0.95)
        left.fill_between(middle.index, low, high, color=style["color"], alpha=0.18, linewidth=0)
        left.plot(middle.index, middle, linestyle=LINES[place % len(LINES)], **style)
        accuracy = models.loc[models["ensemble"] == ensemble, "accuracy"]
        right.plot([place, place], accuracy.quantile([0.05, 0.95]), color=style["color"], linewidth=2)
        right.plot([place], [accuracy.median()], linestyle="", **style)
    left.set_xlabel("Epoch")
    left.set_ylabel("Training loss")
    left.set_ylim(bottom=0)
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    counts = models.groupby("ensemble").size()
    right.set_xticks(
        range(len(names)),
        [f"{words(name)}\n{counts[name]} model{'s' if counts[name] != 1 else ''}" for name in names],
    )
    right.set_xlim(-0.5, len(names) - 0.5)
    right.set_ylabel("Test accuracy")
    right.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(round(share, 6))))
    footnote(
        figure, "left in the colours of the right; marks: median model; bands and bars: the middle 90 % of the models"
    )
    figure.suptitle(title)
    return figure
