"""Pictures: samples as they emerge from noise, and at every step the training images that helped and harmed most."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from trakway.data import ImageData
from trakway.data.centred import to_bytes
from trakway.figures.extremes import extremes
from trakway.figures.lettering import written
from trakway.figures.pictures import Page, frame, score_format
from trakway.figures.style import EDGE, number, styled
from trakway.figures.trajectories import Trajectories
from trakway.report import figures

FIGURE = figures.Figure(
    section="Journey",
    title="journeys, and the training images behind each step by {main}",
    caption=(
        "What the model expects at each step of a sample's way, above; below each step the training images that the "
        "main method names as most helpful and most harmful."
    ),
    reads={"data": "data/", "targets": "targets/", "scores": "scores/{main}.npy"},
    settings={"count": "display.targets", "number": "display.examples"},
    needs=("image", "steps"),
)

# inches
ESTIMATE, EXAMPLE = 0.92, 0.78  # sides of the images
PITCH, SCORE = 1.06, 0.24  # from step to step; the line of text below an example
NAMES, AFTER = 1.2, 0.3  # the names of the rows, space before the final sample
PART, BLOCK = 0.12, 0.42  # between rows of different kinds, between samples
HEAD = 0.95  # above the first image: the title and its caption
CAPTION = 0.26  # the line with the caption that a sample was drawn of


def draw(data: Path, targets: Path, scores: np.ndarray, count: int, number: int, title: str) -> Figure:
    """Draw the first samples, see `journeys`.

    Args:
        data: folder of the prepared data.
        targets: folder of the targets.
        scores: (entries × n) of the method.
        count: samples to show.
        number: training images of each side.
        title: above the figure.
    """
    found = Trajectories.read(targets / "targets.parquet")
    entries = found.whole(count)
    return journeys(
        entries,
        to_bytes(found.at(found.estimates, entries)),
        to_bytes(found.samples[entries["target"].unique()]),
        extremes(scores, entries["entry"].to_numpy(), number),
        ImageData.load(data).train_images,
        title=title,
    )


@styled
def journeys(
    entries: pd.DataFrame,
    estimates: np.ndarray,
    samples: np.ndarray,
    picks: pd.DataFrame,
    train_images: np.ndarray,
    title: str = "Training images behind each step",
) -> Figure:
    """Draw a block a sample: x̂₀(xₜ) from high noise to low and the final sample, below each step its training images.

    The most helpful have solid blue frames, the most harmful dashed orange ones, the most extreme nearest to x̂₀.

    Args:
        entries: target, timestep, caption ("": none), entry (as ``target`` in ``picks``); the steps of a sample one
            after the other from high noise to low.
        estimates: x̂₀(xₜ), uint8 (entries × C × H × W), C = 1 or 3.
        samples: uint8 (targets shown × C × H × W), in the order of ``entries``.
        picks: as ``extremes`` returns it.
        train_images: uint8 (n × C × H × W), may be a memory map.
        title: above the figure.
    """
    targets = entries["target"].drop_duplicates().to_numpy()
    steps = int(entries.groupby("target").size().max())
    count = int(picks["rank"].max()) + 1
    rows = count * (EXAMPLE + SCORE)
    told = entries.drop_duplicates("target").set_index("target")["caption"]
    line = CAPTION if (told != "").any() else 0.0
    block = ESTIMATE + 2 * (PART + rows) + line
    page = Page(max(8.6, NAMES + (steps + 1) * PITCH + AFTER), HEAD + len(targets) * (block + BLOCK))
    for place, target in enumerate(targets):
        top = HEAD + line + place * (block + BLOCK)
        start = {"helpful": top + ESTIMATE + PART, "harmful": top + ESTIMATE + 2 * PART + rows}
        caption = told[target] and f": “{written(told[target], page.width - 1.5, 10)}”"
        page.write(0.2, top - 0.1 - line, f"Sample {target}{caption}", 10, weight="bold")
        names = {top + ESTIMATE / 2: "x̂₀(xₜ)"}
        names |= {start[side] + EXAMPLE / 2: f"Most\n{side}" for side in start}
        for y, name in names.items():
            page.write(0.2, y, name, 9.5, va="center")
        of_target = np.flatnonzero(entries["target"] == target)
        for column, entry in enumerate(of_target):
            x = NAMES + column * PITCH
            axes = page.image(x, top, ESTIMATE, estimates[entry])
            axes.set_title(f"t = {entries['timestep'].iloc[entry]}", fontsize=9)
            part = picks[picks["target"] == entries["entry"].iloc[entry]]
            form = score_format(part["score"].to_numpy())  # a column its own: scores shrink and grow with t
            for pick in part.itertuples():
                y = start[pick.side] + pick.rank * (EXAMPLE + SCORE)
                axes = page.image(x + (ESTIMATE - EXAMPLE) / 2, y, EXAMPLE, train_images[pick.row])
                axes.set_xlabel(number(pick.score, form), fontsize=7.5, labelpad=3)
                frame(axes, dashed=pick.side == "harmful")
        axes = page.image(NAMES + steps * PITCH + AFTER, top, ESTIMATE, samples[place])
        axes.set_title("final sample", fontsize=9, weight="bold")
    order = "from left to right: from high noise to the final sample"
    reading = "number: score, above 0 (solid blue frame) if training on the image lowers the loss of the step"
    page.write(0.2, page.height - 0.1, f"{order}; {reading}", 8.5, color=EDGE, wrap=True)
    page.write(page.width / 2, 0.36, title, 12, ha="center")
    return page.figure
