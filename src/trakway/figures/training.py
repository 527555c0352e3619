"""How the models of each ensemble trained, and how accurate they became."""

from collections.abc import Mapping

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
from trakway.report import figures

FIGURE = figures.Figure(
    section="Models",
    title="training of the ensembles",
    caption="Training loss of every ensemble along the epochs, and how good the final models are on the test split.",
    reads={"curves": "train/{ensemble}/{shard}.curves.parquet", "models": "tables/models.csv"},
)

COLORS = [VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY]
LINES = ["-", "--", "-.", ":"]
MARKERS = ["o", "s", "^", "D", "v"]
MEASURES = {"test_loss": "Test loss", "accuracy": "Test accuracy", "loss": "Training loss of the final model"}
"""Columns of models that tell their quality, the first that there is."""


def draw(curves: Mapping[str, pd.DataFrame], models: pd.DataFrame, title: str) -> Figure:
    """Draw all ensembles, see `training`; ``curves`` come by ensemble and shard."""
    return training(pd.concat([*curves.values()]), models, title=title)


@styled
def training(curves: pd.DataFrame, models: pd.DataFrame, title: str = "Training of the ensembles") -> Figure:
    """Draw loss against epochs and the quality of the final models, an ensemble each: median and the middle 90 %.

    The quality is what the models of a task have: the test loss (diffusion), the test accuracy, or nothing but the
    training loss at the end. An ensemble without the measure drawn (the domain's classifier, beside test losses) is
    named in the footnote with its accuracy, for its loss is another quantity.

    Args:
        curves: ensemble, index, epoch (from 1), loss.
        models: ensemble, index, loss, perhaps accuracy (0..1) and test_loss.
        title: above the figure.
    """
    measure = next(name for name in MEASURES if name in models and models[name].notna().any())
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
    right.set_ylabel(MEASURES[measure])
    if measure == "accuracy":
        right.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(round(share, 6))))
    notes = ["left in the colours of the right; marks: median model; bands and bars: the middle 90 % of the models"]
    notes += [f"not drawn: {name}{_accuracy(models, name)}" for name in trained if name not in measured]
    footnote(figure, "\n".join(notes))
    figure.suptitle(title)
    return figure


def _accuracy(models: pd.DataFrame, ensemble: str) -> str:
    """Write the median accuracy of an ensemble where it has one."""
    accuracy = models.loc[models["ensemble"] == ensemble].get("accuracy", pd.Series(dtype=float)).median()
    return "" if pd.isna(accuracy) else f", test accuracy {percent(round(accuracy, 3))}"
