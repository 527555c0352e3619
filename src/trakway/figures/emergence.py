"""Curves: where along the trajectory a sample gets its class, and what removal and retraining do to it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trakway.figures.lettering import written
from trakway.figures.style import BLUE, YELLOW, Look, footnote, legend_beside, look, percent, styled
from trakway.figures.timesteps import along_timesteps, spacing
from trakway.report import figures

FIGURE = figures.Figure(
    section="Emergence",
    title="when a class appears, and without its examples",
    caption=(
        "Probability of the final class in completions along t: of the original model, after removing the examples "
        "that the main method names at the step where the class appears (shaded), and after removing as many at "
        "random."
    ),
    reads={"table": "tables/emergence.csv"},
    settings={"count": "display.targets", "level": "lds.level"},
    needs=("steps",),
)

MEAN = -1


@styled
def draw(
    table: pd.DataFrame,
    count: int = 3,
    title: str = "Emergence of the class along the trajectory",
    level: float = 0.95,
) -> Figure:
    """Draw the class probability of completions against t: the mean over samples, then the first ``count`` samples.

    The step near the emergence of the class whose scores name the removed examples is shaded.

    Args:
        table: target (-1: mean), label, emergence_timestep (empty: none), timestep, group ("original" | "removed" |
            "random"), method, k, probability, probability_low, probability_high.
        count: samples to show beside the mean.
        title: above the figure.
        level: of the intervals, for the footnote.
    """
    samples = [target for target in table["target"].unique() if target != MEAN]
    shown = [MEAN] * (MEAN in set(table["target"])) + samples[:count]
    columns = len(shown) if len(shown) < 5 else 3 if len(shown) in (5, 6, 9) else 4
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(max(10.6, 3.2 + 2.8 * columns), 1.2 + 2.8 * rows), layout="constrained")
    grid = np.ravel(figure.subplots(rows, columns, sharey=True, squeeze=False))
    for axes in grid[len(shown) :]:
        axes.remove()
    for place, (axes, target) in enumerate(zip(grid, shown, strict=False)):
        part = table[table["target"] == target]
        _panel(axes, part)
        mean = f"Mean over {len(samples)} samples"
        axes.set_title(
            mean if target == MEAN else f"Sample {target}, class {written(str(part['label'].iloc[0]), 1.4, 11)}"
        )
        if place % columns == 0:
            axes.set_ylabel("Probability of the sample's class")
    legend_beside(figure)
    reading = f"probability of completions drawn from the original model's xₜ; bands: {percent(level)} interval"
    shaded = "shaded: the step near the emergence of the class whose scores name the removed images"
    footnote(figure, f"{reading}\n{shaded}")
    figure.suptitle(title)
    return figure


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the curves of one sample, or of the mean."""
    steps = table["timestep"].unique()
    for step in table["emergence_timestep"].dropna().unique():
        half = spacing(steps) / 2
        axes.axvspan(step - half, step + half, color=YELLOW, alpha=0.35, linewidth=0)
    for (group, method, k), part in table.groupby(["group", "method", "k"], sort=False, dropna=False):
        part = part.sort_values("timestep")
        one = _look(group, method, k)
        band = part["probability_low"], part["probability_high"]
        axes.fill_between(part["timestep"], *band, color=one.color, alpha=0.18, linewidth=0)
        line = "--" if group == "random" else "-"
        axes.plot(part["timestep"], part["probability"], line, color=one.color, marker=one.marker, label=one.label)
    along_timesteps(axes, steps, most=6)
    axes.set_ylim(-0.02, 1.02)


def _look(group: str, method: str, k: int) -> Look:
    """Return how a group appears: a removal in the look of the method that names the images."""
    if group == "original":
        return Look("Original model", BLUE, "o")
    one = look("random" if group == "random" else method)
    named = "at random" if group == "random" else f"named by\n{one.label}"
    return one._replace(label=f"Without {k:g} images {named}")
