"""An animation of one sample that emerges from noise, with the training images that help each step most."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from trakway.data import ImageData
from trakway.data.centred import to_bytes
from trakway.errors import UserError
from trakway.figures.extremes import extremes
from trakway.figures.pictures import Page, frame, score_format
from trakway.figures.style import BLUE, EDGE, GREY, number, styled
from trakway.figures.trajectories import Trajectories
from trakway.report import figures

FIGURE = figures.Figure(
    section="Journey",
    title="a journey",
    caption=(
        "One journey: the noisy image and what the model expects of it, with the most helpful training images of each "
        "step."
    ),
    reads={"data": "data/", "targets": "targets/", "scores": "scores/{main}.npy"},
    needs=("image", "steps"),
    form="animation",
)

WIDTH, HEIGHT, DPI = 8.0, 3.8, 100  # inches, and dots in each: 800 × 380
STATE, EXAMPLE = 1.95, 1.05  # sides of the images, inches
LEFT, RIGHT, GAP = 0.2, 4.55, 0.1  # where x_t and the training images begin, and what lies between images
TOP = 0.95  # of all images
EXAMPLES = 6  # training images a step, as many as there is room for


def draw(data: Path, targets: Path, scores: np.ndarray, title: str, target: int = 0) -> list[Figure]:
    """Draw the journey of one sample, see `moments`.

    Args:
        data: folder of the prepared data.
        targets: folder of the targets.
        scores: (entries × n) of the method.
        title: above the pictures.
        target: which sample.

    Raises:
        UserError: there is no such evaluated sample.
    """
    found = Trajectories.read(targets / "targets.parquet")
    entries = found.whole()
    entries = entries[entries["target"] == target]
    if entries.empty:
        known = ", ".join(map(str, found.entries["target"].unique()))
        raise UserError(f"target: found {target}, allowed: an evaluated generated sample ({known})")
    return moments(
        entries,
        to_bytes(found.at(found.noisy, entries)),
        to_bytes(found.at(found.estimates, entries)),
        to_bytes(found.samples[target]),
        extremes(scores, entries["entry"].to_numpy(), EXAMPLES),
        ImageData.load(data).train_images,
        title=title if not entries["caption"].iloc[0] else f"{title}: “{entries['caption'].iloc[0]}”",
    )


def moments(
    entries: pd.DataFrame,
    states: np.ndarray,
    estimates: np.ndarray,
    sample: np.ndarray,
    picks: pd.DataFrame,
    train_images: np.ndarray,
    title: str = "Training images behind each step",
) -> list[Figure]:
    """Draw a journey: at each step x_t, x̂₀(xₜ) and the training images with the highest scores; then the final sample.

    Args:
        entries: timestep, entry (as ``target`` in ``picks``); a row a step, from high noise to low.
        states: x_t, uint8 (steps × C × H × W), C = 1 or 3.
        estimates: x̂₀(xₜ), likewise.
        sample: uint8 (C × H × W).
        picks: as ``extremes`` returns it, at most 6 a side; the harmful side is not shown.
        train_images: uint8 (n × C × H × W), may be a memory map.
        title: above the pictures.

    Returns:
        A figure a step and one for the final sample, which keeps the company of the last step.
    """
    picks = picks[picks["side"] == "helpful"]
    timesteps = entries["timestep"].tolist()
    drawn = []
    for place, state in enumerate([*states, sample]):
        step = min(place, len(timesteps) - 1)
        named = picks[picks["target"] == entries["entry"].iloc[step]]
        drawn.append(_moment(timesteps, place, state, estimates[step], named, train_images, title))
    return drawn


@styled
def _moment(
    timesteps: Sequence[int],
    place: int,
    state: np.ndarray,
    estimate: np.ndarray,
    picks: pd.DataFrame,
    train_images: np.ndarray,
    title: str,
) -> Figure:
    """Draw one step, or the end where ``place`` is the number of steps."""
    page = Page(WIDTH, HEIGHT, DPI)
    page.write(LEFT, 0.36, title, 13)
    end = place == len(timesteps)
    shown = timesteps[min(place, len(timesteps) - 1)]
    heads = ["final sample" if end else f"xₜ, t = {shown}", f"x̂₀(xₜ), t = {shown}" if end else "x̂₀(xₜ)"]
    for column, (image, head) in enumerate(zip((state, estimate), heads, strict=True)):
        x = LEFT + column * (STATE + GAP)
        page.image(x, TOP, STATE, image)
        page.write(x + STATE / 2, TOP - 0.12, head, 11, ha="center")
    page.write(RIGHT, TOP - 0.12, f"training images that help most at t = {shown}", 11)
    form = score_format(picks["score"].to_numpy())
    for pick in picks.itertuples():
        x, y = RIGHT + pick.rank % 3 * (EXAMPLE + GAP), TOP + pick.rank // 3 * (EXAMPLE + 0.3)
        axes = page.image(x, y, EXAMPLE, train_images[pick.row])
        axes.set_xlabel(number(pick.score, form), fontsize=9, labelpad=4)
        frame(axes, dashed=False)
    _timeline(page, timesteps, place)
    return page.figure


def _timeline(page: Page, timesteps: Sequence[int], place: int) -> None:
    """Draw the way from noise to the sample as a line below x_t and x̂₀, with a dot where this moment is."""
    width, left = 2 * STATE + GAP - 1.2, LEFT + 0.6
    box = (left / page.width, 0.2 / page.height, width / page.width, 0.4 / page.height)
    axes = page.figure.add_axes(box)
    axes.set_axis_off()
    stops = range(len(timesteps) + 1)
    axes.plot(stops, [0] * len(stops), "|-", color=GREY, linewidth=2, markersize=7)
    axes.plot([0, place], [0, 0], color=BLUE, linewidth=4, solid_capstyle="round")
    axes.plot([place], [0], "o", color=BLUE, markersize=11, markeredgecolor="white", markeredgewidth=1.5)
    axes.set(xlim=(-0.3, stops[-1] + 0.3), ylim=(-1, 1))
    beside = {"size": 10, "color": EDGE, "va": "center_baseline"}
    page.write(left - 0.05, page.height - 0.4, "noise", ha="right", **beside)
    page.write(left + width + 0.05, page.height - 0.4, "sample", **beside)
