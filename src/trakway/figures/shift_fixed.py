"""Curves: how far completions move at a fixed seed when the examples that a method names are removed."""

import pandas as pd
from matplotlib.figure import Figure

from trakway.figures import shift_curves
from trakway.report import figures

FIGURE = figures.Figure(
    section="Shift",
    title="shift of the completions after removal at a fixed seed",
    caption=(
        "As above, but the models after removal are the differentiated training runs themselves without the named "
        "examples, dropped at their place: the same seeds, the same order, nothing else changed."
    ),
    reads={"table": "tables/shift_fixed.csv"},
    settings={"level": "lds.level"},
    needs=("steps",),
    given="removal.fixed",
    check="removal",
)


def draw(table: pd.DataFrame, title: str = "Completions after removal at a fixed seed", level: float = 0.95) -> Figure:
    """Draw as `trakway.figures.shift_curves.draw` does."""
    return shift_curves.draw(table, title, level)
