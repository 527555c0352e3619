"""Heat maps: how much the scores of one timestep say about those of another."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from trakway.figures.style import BLUE, VERMILION, footnote, look, number, percent, styled
from trakway.report import figures

FIGURE = figures.Figure(
    section="Journey",
    title="do neighbouring steps name the same examples?",
    caption="Rank correlation between the attributions of two steps of the same journey, averaged over samples.",
    reads={"table": "tables/timestep_correlation.csv"},
    settings={"level": "lds.level"},
    needs=("steps",),
)

METHODS = ("journey_trak", "journey_window", "journey_d_trak")
COLORS = LinearSegmentedColormap.from_list("correlation", [VERMILION, "white", BLUE])
CELL = 0.44  # inches


@styled
def draw(
    table: pd.DataFrame, title: str = "Scores of one timestep against those of another", level: float = 0.95
) -> Figure:
    """Draw a heat map a method, from noise to image in both directions, the values in the cells.

    Args:
        table: method, timestep, other, correlation, correlation_low, correlation_high, targets; every ordered pair of
            timesteps. The journey methods are shown; where the table has none of them, the first three others.
        title: above the figure.
        level: of the intervals, for the footnote.
    """
    found = table["method"].unique()
    methods = [method for method in METHODS if method in found] or list(found[: len(METHODS)])
    side = max(CELL * table["timestep"].nunique(), 2.2, 4.5 / len(methods) - 0.55)  # as wide as the titles need
    figure = Figure(figsize=(1.6 + (side + 0.55) * len(methods), side + 1.7), layout="constrained")
    panels = figure.subplots(1, len(methods), squeeze=False)[0]
    for axes, method in zip(panels, methods, strict=True):
        shown = _heat_map(axes, table[table["method"] == method])
        axes.set_title(look(method).label)
    panels[0].set_ylabel("Other timestep")
    figure.colorbar(shown, ax=panels, label="Spearman correlation", aspect=25, pad=0.02).outline.set_visible(False)
    pairs = table[table["method"].isin(methods) & (table["timestep"] != table["other"])]
    wide = (pairs["correlation_high"] - pairs["correlation_low"]).max() / 2
    counted = f"rank correlation over training images, mean over {table['targets'].max():.0f} samples"
    reaching = f"\n{percent(level)} intervals over samples: at most ±{wide:.2f}" if len(pairs) else ""
    footnote(figure, counted + reaching)
    figure.suptitle(title)
    return figure


def _heat_map(axes: Axes, table: pd.DataFrame) -> AxesImage:
    """Draw one method; return the image, for a colour bar."""
    values = table.pivot(index="other", columns="timestep", values="correlation").iloc[::-1, ::-1]
    shown = axes.imshow(values, cmap=COLORS, vmin=-1, vmax=1)
    for (line, column), value in np.ndenumerate(values.to_numpy()):
        color = "white" if abs(value) > 0.6 else "black"
        axes.text(column, line, number(value), ha="center", va="center", fontsize=7.5, color=color)
    axes.set_xticks(range(len(values)), [f"{t:g}" for t in values.columns])
    axes.set_yticks(range(len(values)), [f"{t:g}" for t in values.index])
    axes.tick_params(length=0, labelsize=8.5)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("Timestep t (from noise to image)")
    return shown
