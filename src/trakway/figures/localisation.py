"""Pictures: training images behind a patch of a sample, beside those behind the whole image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from trakway.data import ImageData
from trakway.data.centred import to_bytes
from trakway.figures.extremes import extremes
from trakway.figures.pictures import Page, frame, score_format
from trakway.figures.style import BLACK, EDGE, VERMILION, number, styled, words
from trakway.figures.trajectories import Trajectories
from trakway.report import figures

FIGURE = figures.Figure(
    section="Journey",
    title="training images behind a patch, by {main}",
    caption=(
        "Training images behind a patch of what the model expects, beside those behind the whole image at the same "
        "step."
    ),
    reads={"data": "data/", "targets": "targets/", "scores": "scores/{main}.npy"},
    settings={"count": "display.targets", "number": "display.examples", "parts": "journey.patches"},
    needs=("image", "steps"),
    given="journey.patches",
)

# inches
IMAGE, GAP, SECTION = 1.0, 0.14, 0.42  # an image, between images, between parts
ABOVE, BELOW = 0.46, 0.22  # lines of text above and below an image
HEAD = 0.85  # the title and the names of the parts
SIDES = {"patch": "Most helpful for the patch", "whole": "Most helpful for the whole image"}


def draw(
    data: Path, targets: Path, scores: np.ndarray, parts: Sequence[dict], count: int, number: int, title: str
) -> Figure:
    """Draw the patches of the first samples, see `localisation`.

    Args:
        data: folder of the prepared data.
        targets: folder of the targets.
        scores: (entries × n) of the method.
        parts: the patches: ``name`` and ``box``.
        count: samples to show.
        number: training images of each part.
        title: above the figure.
    """
    found = Trajectories.read(targets / "targets.parquet")
    patches = found.patches(count)
    patches["box"] = patches["patch"].map({part["name"]: part["box"] for part in parts})
    return localisation(
        patches,
        to_bytes(found.at(found.estimates, patches)),
        extremes(scores, patches[["entry", "whole"]].stack().unique(), number),
        ImageData.load(data).train_images,
        title=title,
    )


@styled
def localisation(
    patches: pd.DataFrame,
    estimates: np.ndarray,
    picks: pd.DataFrame,
    train_images: np.ndarray,
    title: str = "Training images behind a patch",
) -> Figure:
    """Draw a row a patch: x̂₀(xₜ) with the patch outlined, and the most helpful images for it and for the whole image.

    An image that is named for both has a dashed orange frame, all others a solid blue one.

    Args:
        patches: target, timestep, patch (its name), box (top, left, height, width in pixels), entry and whole (the
            entries of the patch and of the whole image, as ``target`` in ``picks``).
        estimates: x̂₀(xₜ), uint8 (patches × C × H × W), C = 1 or 3.
        picks: as ``extremes`` returns it; the harmful side is not shown.
        train_images: uint8 (n × C × H × W), may be a memory map.
        title: above the figure.
    """
    picks = picks[picks["side"] == "helpful"]
    part = (int(picks["rank"].max()) + 1) * (IMAGE + GAP)
    left = {"patch": 0.2 + IMAGE + SECTION, "whole": 0.2 + IMAGE + 2 * SECTION + part}
    row = ABOVE + IMAGE + BELOW
    page = Page(max(7.5, left["whole"] + part + 0.1), HEAD + len(patches) * row + 0.45)
    for side, text in SIDES.items():
        page.write(left[side], HEAD - 0.13, text, 11)
    page.write(0.2, HEAD - 0.13, "x̂₀(xₜ)", 11)
    for line, patch in enumerate(patches.itertuples()):
        top = HEAD + line * row + ABOVE
        axes = page.image(0.2, top, IMAGE, estimates[line])
        axes.set_title(f"sample {patch.target}, t = {patch.timestep}\n{words(patch.patch)}", fontsize=8, weight="bold")
        _outline(axes, patch.box, 2.4)
        entries = {"patch": patch.entry, "whole": patch.whole}
        rows = {side: picks.loc[picks["target"] == entry, "row"] for side, entry in entries.items()}
        for side, entry in entries.items():
            named = picks[picks["target"] == entry]
            form = score_format(named["score"].to_numpy())
            for pick in named.itertuples():
                axes = page.image(left[side] + pick.rank * (IMAGE + GAP), top, IMAGE, train_images[pick.row])
                axes.set_xlabel(number(pick.score, form), fontsize=8, labelpad=3)
                frame(axes, dashed=rows["patch"].isin([pick.row]).any() and rows["whole"].isin([pick.row]).any())
                if side == "patch":
                    _outline(axes, patch.box, 1.2)
    legend = "dashed orange frame: named for both; red outline: the pixels whose loss is attributed"
    reading = "number: score, above 0 if training on the image lowers that loss"
    page.write(0.2, page.height - 0.1, f"{legend}; {reading}", 8.5, color=EDGE, wrap=True)
    page.write(page.width / 2, 0.32, title, 12, ha="center")
    return page.figure


def _outline(axes: Axes, box: Sequence[int], width: float) -> None:
    """Outline a box of pixels, red on black: seen on any image."""
    top, left, high, wide = box
    for color, extra in ((BLACK, 1.0), (VERMILION, 0.0)):
        axes.add_patch(Rectangle((left - 0.5, top - 0.5), wide, high, fill=False, color=color, linewidth=width + extra))
