"""Bars: the linear datamodeling score of every method."""

import pandas as pd
from matplotlib.figure import Figure

from trakway.figures.bars import bars, sampled
from trakway.figures.style import footnote, styled
from trakway.report import figures

FIGURE = figures.Figure(
    section="LDS",
    title="linear datamodeling score",
    caption=(
        "Linear datamodeling score (LDS) of every method: the rank correlation, over random half subsets of the "
        "training set, between what the scores predict and what retraining gives, averaged over targets. Lines are "
        "bootstrap intervals over subsets and targets; the dashed line is the noise ceiling, what a perfect predictor "
        "would reach with as many seeds a subset."
    ),
    reads={"table": "tables/lds.csv"},
    settings={"level": "lds.level"},
    without=("steps",),
    check="lds",
)


@styled
def draw(table: pd.DataFrame, title: str = "Linear datamodeling score", level: float = 0.95) -> Figure:
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
