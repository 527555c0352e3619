"""Curves: how far completions move from the original model's when the examples that a method names are removed."""

import pandas as pd
from matplotlib.figure import Figure

from trakway.figures import shift_curves
from trakway.report import figures

FIGURE = figures.Figure(
    section="Shift",
    title="shift of the completions after removal",
    caption=(
        "Completions are drawn from the same x_t by the original model and by models trained without the examples that "
        "a method names. FID and KID, in the features of a classifier trained on the domain, measure how far the two "
        "sets are apart; removing as many at random is the control. Bands: two draws of the same model, and models "
        "trained on everything with other seeds."
    ),
    reads={"table": "tables/shift.csv"},
    settings={"level": "lds.level"},
    needs=("steps",),
    check="removal",
)


def draw(table: pd.DataFrame, title: str = "Completions after removal and retraining", level: float = 0.95) -> Figure:
    """Draw as `trakway.figures.shift_curves.draw` does."""
    return shift_curves.draw(table, title, level)
