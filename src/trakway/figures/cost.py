"""Lines: the linear datamodeling score that each method buys with compute."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from trakway.figures.style import EDGE, footnote, legend_beside, look, percent, reach, styled
from trakway.report import figures

FIGURE = figures.Figure(
    section="LDS",
    title="LDS against compute",
    caption=(
        "LDS against the CPU seconds of all models, features and scores that a method uses. Labels count the models. "
        "The bank with which TRAK's ridge is chosen is not charged."
    ),
    reads={"table": "tables/cost.csv"},
    settings={"level": "lds.level"},
    check="lds",
)


@styled
def draw(table: pd.DataFrame, title: str = "Linear datamodeling score against compute", level: float = 0.95) -> Figure:
    """Draw LDS against CPU seconds (log axis), a line a method, each point labelled with its number of models.

    Args:
        table: method, models (how many were trained for it), cpu_seconds (above 0), lds, lds_low, lds_high, ceiling
            (nan: not drawn).
        title: above the figure.
        level: of the intervals, for the footnote.
    """
    figure = Figure(figsize=(8.6, 4.8), layout="constrained")
    axes = figure.subplots()
    best = table.groupby("method")["lds"].max().sort_values(ascending=False)
    for method in best.index:
        part = table[table["method"] == method].sort_values("cpu_seconds")
        one = look(method)
        axes.errorbar(
            part["cpu_seconds"], part["lds"], yerr=reach(part, "lds"), color=one.color, marker=one.marker,
            label=one.label, **one.edges, elinewidth=1, capsize=2,
        )  # fmt: skip
    ceiling = float(table["ceiling"].iloc[0])
    if np.isfinite(ceiling):
        axes.axhline(ceiling, color=EDGE, linestyle="--", linewidth=1.3, label=f"Noise ceiling {ceiling:.2f}")
    axes.axhline(0, color=EDGE, linewidth=0.8)
    axes.set_xscale("log")
    decades = np.log10(table["cpu_seconds"].max() / table["cpu_seconds"].min())
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3) if decades < 3 else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("CPU seconds, training included (log scale)")
    axes.set_ylabel("Linear datamodeling score (LDS)")
    _label_models(axes, table)
    legend_beside(figure)
    footnote(
        figure, f"numbers: models trained for the method; bars: {percent(level)} interval over subsets and targets"
    )
    figure.suptitle(title)
    return figure


def _label_models(axes: Axes, table: pd.DataFrame) -> None:
    """Write the number of models above each point; of points with equal numbers close together, above the topmost."""
    axes.autoscale_view()
    to_axes = axes.transData + axes.transAxes.inverted()
    labelled = []
    for row in table[table["models"] > 0].sort_values("lds", ascending=False).itertuples():
        x, y = to_axes.transform((row.cpu_seconds, row.lds))
        beside = any(row.models == models and abs(x - a) < 0.03 and 0 <= b - y < 0.12 for models, a, b in labelled)
        labelled.append((row.models, x, y))
        if not beside:
            axes.annotate(
                f"{row.models:.0f}", (row.cpu_seconds, row.lds_high), (0, 2), textcoords="offset points",
                ha="center", va="bottom", fontsize=8, color=EDGE,
            )  # fmt: skip
