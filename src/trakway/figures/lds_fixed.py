"""Lines: the linear datamodeling score at a fixed seed, by the share of examples that are dropped."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from trakway.figures.style import EDGE, counted, footnote, legend_beside, look, percent, reach, styled
from trakway.report import figures

FIGURE = figures.Figure(
    section="LDS",
    title="LDS at a fixed seed",
    caption=(
        "LDS of every method on models that share everything with one training run but the examples that they do "
        "without, dropped at their place, against the share of examples dropped, with intervals over subsets and "
        "targets. No noise of retraining is in it, so that an exact method could reach 1."
    ),
    reads={"table": "tables/lds_fixed.csv"},
    settings={"level": "lds.level"},
    given="bank.fixed",
    check="lds",
)

COLUMNS = 4  # of panels, at most


@styled
def draw(table: pd.DataFrame, title: str = "LDS at a fixed seed", level: float = 0.95) -> Figure:
    """Draw LDS against the dropped share, a line a method, a panel for each kind of target and timestep.

    Args:
        table: kind, timestep (empty: the whole target), method, lds, lds_low, lds_high, dropped, subsets.
        title: above the figure.
        level: of the intervals, for the footnote.
    """
    panels = list(table.groupby(["kind", "timestep"], dropna=False, sort=False))
    panels.sort(key=lambda panel: (panel[0][0], 1 if pd.isna(panel[0][1]) else -panel[0][1]))
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(max(8.5, 3.4 + 2.9 * columns), 1.2 + 3.2 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    best = table.groupby("method")["lds"].mean().sort_values(ascending=False, kind="stable").index
    for axes, ((kind, timestep), part) in zip(grid.flat, panels, strict=False):
        _panel(axes, part, best)
        axes.set_title(f"{kind}, whole" if pd.isna(timestep) else f"{kind}, t = {timestep:g}")
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("LDS")
    for axes in grid.flat[len(panels) - columns : len(panels)]:  # the lowest of each column
        axes.set_xlabel("Share of examples dropped")
    legend_beside(figure)
    footnote(
        figure,
        f"{counted(table['subsets'].max(), 'subset')} of each share; {percent(level)} intervals; points lie a little"
        " apart",
    )
    figure.suptitle(title)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, methods: pd.Index) -> None:
    apart = 1.03 ** (np.arange(len(methods)) - (len(methods) - 1) / 2)
    for method, shift in zip(methods, apart, strict=True):
        part = table[table["method"] == method].sort_values("dropped")
        if part.empty:
            continue
        one = look(method)
        axes.errorbar(
            part["dropped"] * shift, part["lds"], yerr=reach(part, "lds"), color=one.color, marker=one.marker,
            label=one.label, **one.edges, elinewidth=1, capsize=2,
        )  # fmt: skip
    ticks = sorted(table["dropped"].unique())
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [percent(round(tick, 4)) for tick in ticks])
    axes.axhline(0, color=EDGE, linewidth=0.8)
