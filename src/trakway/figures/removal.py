"""Curves: what happens to a prediction when the examples that a method names are removed."""

import pandas as pd
from matplotlib.figure import Figure

from trakway.figures import removal_curves
from trakway.report import figures

FIGURE = figures.Figure(
    section="Removal",
    title="removal and retraining",
    caption=(
        "Counterfactual retraining: the highest-scoring (top) or lowest-scoring (bottom) training examples of a target "
        "are removed, models are trained anew with several seeds, and the change of the target's margin is measured; "
        "last, the share of predictions that flip. The grey band is the removal of as many examples at random."
    ),
    reads={"table": "tables/removal.csv"},
    settings={"level": "lds.level"},
    needs=("border",),
    check="removal",
)


def draw(table: pd.DataFrame, title: str = "Removing training examples and retraining", level: float = 0.95) -> Figure:
    """Draw as `trakway.figures.removal_curves.draw` does."""
    return removal_curves.draw(table, title, level)
