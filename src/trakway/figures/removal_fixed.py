"""Curves: what happens to a prediction at a fixed seed when the examples that a method names are removed."""

import pandas as pd
from matplotlib.figure import Figure

from trakway.figures import removal_curves
from trakway.report import figures

FIGURE = figures.Figure(
    section="Removal",
    title="removal at a fixed seed",
    caption=(
        "As above, but the models after removal are the differentiated training runs themselves without the named "
        "examples, dropped at their place: the same seeds, the same order, nothing else changed."
    ),
    reads={"table": "tables/removal_fixed.csv"},
    settings={"level": "lds.level"},
    needs=("border",),
    given="removal.fixed",
    check="removal",
)


def draw(table: pd.DataFrame, title: str = "Removing training examples at a fixed seed", level: float = 0.95) -> Figure:
    """Draw as `trakway.figures.removal_curves.draw` does."""
    return removal_curves.draw(table, title, level)
