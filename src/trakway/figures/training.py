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
    counted,
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

    Where models have a test loss (diffusion), it stands in the place of accuracy; an ensemble that has none (the
    domain's classifier) is named in the footnote with its accuracy, for its loss is another quantity.

    Args:
        curves: ensemble, index, epoch (from 1), loss.
        models: ensemble, index, accuracy (0..1), perhaps test_loss.
        title: above the figure.
    """
    measure = "test_loss" if "test_loss" in models and models["test_loss"].notna().any() else "accuracy"
    measured = set(models.loc[models[measure].notna(), "ensemble"])
    trained = list(dict.fromkeys(curves["ensemble"]))
    names = [name for name in trained if name in measured]
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
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
        final = models.loc[models["ensemble"] == ensemble, measure]
        right.plot([place, place], final.quantile([0.05, 0.95]), color=style["color"], linewidth=2)
        right.plot([place], [final.median()], linestyle="", **style)
    left.set_xlabel("Epoch")
    left.set_ylabel("Training loss")
    left.set_ylim(bottom=0)
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    counts = models.groupby("ensemble").size()
    right.set_xticks(
        range(len(names)),
        [f"{words(name)}\n{counted(counts[name], 'model')}" for name in names],
    )
    right.set_xlim(-0.5, len(names) - 0.5)
    right.set_ylabel(f"Test {measure.removeprefix('test_')}")
    if measure == "accuracy":
        right.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(round(share, 6))))
    notes = ["left in the colours of the right; marks: median model; bands and bars: the middle 90 % of the models"]
    accuracy = models.groupby("ensemble")["accuracy"].median()
    notes += [
        f"not drawn: {name}, test accuracy {percent(round(accuracy[name], 3))}"
        for name in trained
        if name not in measured
    ]
    footnote(figure, "\n".join(notes))
    figure.suptitle(title)
    return figure
