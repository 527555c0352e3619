"""Small multiples: the linear datamodeling score as one setting at a time is changed."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from trakway.figures.style import BLUE, EDGE, footnote, percent, reach, styled, words
from trakway.report import figures

FIGURE = figures.Figure(
    section="Ablation",
    title="{main}, one setting changed at a time",
    caption=(
        "LDS of the main method (TRAK, of diffusion models journey-TRAK) with one setting changed at a time. Ridge and "
        "soft threshold are chosen on held-out targets in each run anew, but where they are what is changed."
    ),
    reads={"table": "tables/ablation.csv"},
    settings={"level": "lds.level"},
    check="ablation",
    optional=True,
)

AXES = {
    "members": "Members",
    "dim": "Projected dimension k",
    "ridge": "Relative ridge λ",
    "weights": "Weights Q",
    "projection": "Projection",
    "preconditioner": "Preconditioner",
    "parameters": "Gradients with respect to",
    "checkpoints": "Checkpoints of each member",
    "soft_threshold": "Soft threshold",
    "average": "Order of averaging",
}
LETTERS = 28  # that fit below a panel side by side
VALUES = {
    "sjlt": "SJLT",
    "rademacher": "Rademacher",
    "factored": "Factored",
    "identity": "Identity",
    "none": "None",
    "kronecker": "Kronecker",
}


@styled
def draw(
    table: pd.DataFrame,
    title: str = "TRAK, one setting changed at a time",
    chosen: Mapping[str, object] | None = None,
    level: float = 0.95,
) -> Figure:
    """Draw LDS against the values of each setting, in the order of the table, values evenly spaced.

    Numbers are joined by a line, kinds (projection, with or without weights) are not.

    Args:
        table: axis, value, lds, lds_low, lds_high.
        title: above the figure.
        chosen: axis → the value that the other panels keep; drawn filled, the others hollow.
        level: of the intervals, for the footnote.
    """
    names = list(dict.fromkeys(table["axis"]))
    columns = len(names) if len(names) < 4 else 3 if len(names) in (5, 6, 9) else 4
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(1 + 2.7 * columns, 1 + 2.4 * rows), layout="constrained")
    grid = np.ravel(figure.subplots(rows, columns, sharey=True, squeeze=False))
    for place, axes in enumerate(grid):
        if place >= len(names):
            axes.remove()
            continue
        part = table[table["axis"] == names[place]]
        position = np.arange(len(part))
        values = part["value"].astype(str)
        if pd.to_numeric(values, errors="coerce").notna().all():
            axes.plot(position, part["lds"], color=BLUE)
        kept = values.to_numpy() == str((chosen or {}).get(names[place]))
        axes.errorbar(
            position, part["lds"], yerr=reach(part, "lds"), fmt="none", ecolor=EDGE, elinewidth=1.2, capsize=3
        )
        axes.scatter(position, part["lds"], s=44, color=np.where(kept, BLUE, "white"), edgecolor=BLUE, zorder=3)
        shown = values.replace(VALUES)
        axes.set_xticks(position, shown)
        if shown.str.len().sum() > LETTERS:
            axes.tick_params(axis="x", labelrotation=20)
        axes.set_xlim(-0.5, len(part) - 0.5)
        axes.grid(axis="x", visible=False)
        axes.set_xlabel(AXES.get(names[place], words(names[place])))
        if place % columns == 0:
            axes.set_ylabel("LDS")
    filled = "filled: the setting that the other panels keep; " if chosen else ""
    footnote(figure, f"{filled}bars: {percent(level)} interval over subsets and targets")
    figure.suptitle(title)
    return figure
