"""Curves of how far completions move from the original model's when the examples that a method names are removed."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from trakway.figures.style import counted, footnote, legend_beside, look, percent, reach, styled

MEASURES = {"fid": "FID", "kid": "KID"}
LEVELS = ("same model", "retrained")


@styled
def draw(table: pd.DataFrame, title: str = "Completions after removal and retraining", level: float = 0.95) -> Figure:
    """Draw FID (above) and KID (below) of completions against the number of removed examples, a column a timestep.

    The random control is grey, with a band; two more bands, across, show what the same model drawn again and models
    retrained on all data reach.

    Args:
        table: method, timestep, k (0 for "same model" and "retrained"), fid, fid_low, fid_high, kid, kid_low, kid_high,
            targets, seeds, completions, features.
        title: above the figure.
        level: of the intervals, for the footnote.
    """
    timesteps = sorted(table["timestep"].unique(), reverse=True)
    figure = Figure(figsize=(max(10.6, 3.4 + 3.0 * len(timesteps)), 6.4), layout="constrained")
    grid = figure.subplots(2, len(timesteps), squeeze=False, sharex=True)
    for line, (measure, name) in zip(grid, MEASURES.items(), strict=True):
        for axes, timestep in zip(line, timesteps, strict=True):
            _panel(axes, table[table["timestep"] == timestep], measure)
        line[0].set_ylabel(name)
    for axes, timestep in zip(grid[0], timesteps, strict=True):
        axes.set_title(f"Completions from xₜ, t = {timestep}")
    ticks = sorted(set(table["k"]) - {0})
    for axes in grid[-1]:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(ticks, [f"{k:g}" for k in ticks])
        axes.set_xlim(ticks[0] / 1.3, ticks[-1] * 1.3)
        axes.set_xlabel("Training images removed (log scale)")
    figure.align_ylabels(grid[:, 0])
    legend_beside(figure)
    first = table.iloc[0]
    drawn = f"{counted(table['targets'].max(), 'sample')}, {counted(table['seeds'].max(), 'model')} a removal"
    drawn += f", {first['completions']} completions a model; features: {first['features']}"
    held = "FID and KID between the completions of the retrained and of the original model, 0 for equal distributions"
    footnote(figure, f"{held}; bars and bands: {percent(level)} interval over samples\n{drawn}")
    figure.suptitle(title)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, measure: str) -> None:
    """Draw one measure at one timestep: the two levels and the control behind the methods."""
    for name in LEVELS:
        one = look(name)
        for row in table[table["method"] == name].itertuples():
            low, high = getattr(row, f"{measure}_low"), getattr(row, f"{measure}_high")
            axes.axhspan(low, high, color=one.color, alpha=0.35, linewidth=0, zorder=0.5)
            axes.axhline(getattr(row, measure), color=one.color, linewidth=2, label=one.label, zorder=0.6)
    control = table[table["method"] == "random"].sort_values("k")
    if len(control):
        one = look("random")
        low, high = control[f"{measure}_low"], control[f"{measure}_high"]
        axes.fill_between(control["k"], low, high, color=one.color, alpha=0.3, linewidth=0)
        axes.errorbar(
            control["k"], control[measure], yerr=reach(control, measure), color=one.color, linestyle="--",
            marker=one.marker, label=f"{one.label} removal", elinewidth=1, capsize=2,
        )  # fmt: skip
    others = table[~table["method"].isin([*LEVELS, "random"])]
    methods = list(dict.fromkeys(others["method"]))
    # a little apart on the log axis, or the bars of one k would hide each other
    apart = 1.045 ** (np.arange(len(methods)) - (len(methods) - 1) / 2)
    for method, factor in zip(methods, apart, strict=True):
        part = others[others["method"] == method].sort_values("k")
        one = look(method)
        axes.errorbar(
            part["k"] * factor, part[measure], yerr=reach(part, measure), color=one.color, marker=one.marker,
            label=one.label, **one.edges, elinewidth=1, capsize=2,
        )  # fmt: skip
