"""Lines and bars: the linear datamodeling score along the sampling trajectory, and of whole images."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trakway.figures.bars import bars, sampled
from trakway.figures.style import EDGE, footnote, legend_beside, look, reach, styled
from trakway.figures.timesteps import along_timesteps, dodge
from trakway.report import figures

FIGURE = figures.Figure(
    section="LDS",
    title="LDS along the sampling trajectory",
    caption=(
        "LDS of every method along the sampling trajectory, with intervals over subsets and samples; the dashed line "
        "is the noise ceiling of each step. Beside it the LDS of the averaged output of the samples, and of held-out "
        "real images."
    ),
    reads={"table": "tables/lds.csv"},
    settings={"level": "lds.level"},
    needs=("steps",),
    check="lds",
)

WHOLE = {"generated": "Final image of generated samples", "test": "Held-out real images"}


@styled
def draw(
    table: pd.DataFrame, title: str = "Linear datamodeling score along the trajectory", level: float = 0.95
) -> Figure:
    """Draw LDS of generated samples against t, a line a method, and below it bars for outputs averaged over t.

    Args:
        table: kind ("generated" | "test"; others are left out), timestep (empty: averaged over t), method, lds,
            lds_low, lds_high, ceiling (nan: not drawn), subsets, seeds.
        title: above the figure.
        level: of the intervals, for the footnote.
    """
    steps = table[(table["kind"] == "generated") & table["timestep"].notna()]
    whole = {kind: table[(table["kind"] == kind) & table["timestep"].isna()] for kind in WHOLE}
    whole = {kind: part for kind, part in whole.items() if len(part)}
    below = 1.0 + 0.3 * max((part["method"].nunique() for part in whole.values()), default=-1)
    figure = Figure(figsize=(11, 5.2 + below), layout="constrained")
    parts = figure.subfigures(2, 1, height_ratios=(4.6, below)) if whole else [figure]
    _lines(parts[0].subplots(), steps)
    legend_beside(parts[0])
    panels = parts[-1].subplots(1, len(whole), squeeze=False)[0] if whole else []
    for axes, (kind, part) in zip(panels, whole.items(), strict=True):
        bars(axes, part)
        axes.set_title(WHOLE[kind], pad=20)
        axes.set_xlabel("LDS of the loss averaged over t")
    footnote(figure, f"{sampled(table, level)}; lines lie a little apart in t")
    figure.suptitle(title)
    return figure


def _lines(axes: Axes, steps: pd.DataFrame) -> None:
    """Draw a line a method, best on average first, and the ceiling."""
    best = steps.groupby("method")["lds"].mean().sort_values(ascending=False, kind="stable")
    for method, shift in zip(best.index, dodge(steps["timestep"], len(best)), strict=True):
        part = steps[steps["method"] == method].sort_values("timestep")
        one = look(method)
        axes.errorbar(
            part["timestep"].astype(float) + shift, part["lds"], yerr=reach(part, "lds"), color=one.color,
            marker=one.marker, label=one.label, **one.edges, elinewidth=1, capsize=2,
        )  # fmt: skip
    ceiling = steps.drop_duplicates("timestep").dropna(subset="ceiling").sort_values("timestep")
    if len(ceiling):
        line = {"color": EDGE, "linestyle": "--", "linewidth": 1.3, "label": "Noise ceiling"}
        axes.plot(ceiling["timestep"].astype(float), ceiling["ceiling"], **line)
    axes.axhline(0, color=EDGE, linewidth=0.8)
    along_timesteps(axes, steps["timestep"])
    axes.set_ylabel("Linear datamodeling score (LDS)")
