"""Panels: the LDS of every method against what it costs, a panel an experiment, from the published tables."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from trakway.figures.style import EDGE, footnote, legend_beside, look, reach, styled

ACROSS = 2
SHOWN = ("all steps", "test")  # kinds of targets, the first that an experiment has


@styled
def draw(table: pd.DataFrame, title: str = "Leaderboard: LDS against compute") -> Figure:
    """Draw the ordinary banks of a leaderboard.

    Args:
        table: as `trakway.validation.leaderboard.leaderboard` returns it.
        title: above the figure.
    """
    names = table["experiment"].unique()
    rows = -(-len(names) // ACROSS)
    figure = Figure(figsize=(10.5, 3.4 * rows + 0.6), layout="constrained")
    panels = figure.subplots(rows, ACROSS, squeeze=False).flatten()
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(panels, names, strict=False):
        own = table[(table["experiment"] == name) & table["dropped"].isna()]
        kind = next(kind for kind in SHOWN if (own["targets"] == kind).any())
        part = own[(own["targets"] == kind) & own["timestep"].isna()]
        for row in part.sort_values("lds", ascending=False).itertuples():
            one = look(row.method)
            axes.errorbar(
                row.cpu_seconds, row.lds, yerr=reach(part[part["method"] == row.method], "lds"), color=one.color,
                marker=one.marker, label=one.label, **one.edges, elinewidth=1,
                capsize=2, linestyle="none",
            )  # fmt: skip
        ceiling = float(part["ceiling"].iloc[0])
        if np.isfinite(ceiling):
            axes.axhline(ceiling, color=EDGE, linestyle="--", linewidth=1.2, label="Noise ceiling")
        axes.axhline(0, color=EDGE, linewidth=0.8)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_title(f"{name} ({part['tier'].iloc[0]}, {kind.replace('test', 'test examples')})")
        axes.set(xlabel="CPU seconds, training included", ylabel="LDS")
    legend_beside(figure)
    footnote(figure, "bars: 95 % intervals over subsets and targets; each method with all of its models")
    figure.suptitle(title)
    return figure
