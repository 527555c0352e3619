"""Pictures: target images with the training images that helped and harmed them most."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from trakway.data import ImageData
from trakway.figures.extremes import extremes
from trakway.figures.lettering import written
from trakway.figures.pictures import Page, frame, score_format
from trakway.figures.style import EDGE, number, styled
from trakway.report import figures

FIGURE = figures.Figure(
    section="Examples",
    title="training images behind a prediction, by {main}",
    caption=(
        "For a few targets, the training images that the main method names as most helpful and most harmful, with "
        "their scores."
    ),
    reads={
        "data": "data/",
        "targets": "targets/targets.parquet",
        "scores": "scores/{main}.npy",
        "outputs": "outputs/reference/{shard}.npy",
    },
    settings={"count": "display.targets", "number": "display.examples"},
    needs=("image",),
    without=("steps",),
)

IMAGE, GAP, SECTION, CAPTION = 1.0, 0.14, 0.42, 0.48  # inches: an image, between images, between parts, lines of text


def draw(
    data: Path,
    targets: pd.DataFrame,
    scores: np.ndarray,
    outputs: Mapping[str, np.ndarray],
    count: int,
    number: int,
    title: str,
) -> Figure:
    """Draw the first targets, see `examples`.

    Args:
        data: folder of the prepared data.
        targets: table of targets, the evaluated ones first.
        scores: (targets × n) of the method.
        outputs: by shard: (models × targets), margins of models trained on everything.
        count: targets to show.
        number: training images of each side.
        title: above the figure.
    """
    images = ImageData.load(data)
    names = np.array(images.classes)
    targets = targets.head(count)
    shown = pd.DataFrame(
        {
            "target": targets["target"],
            "label": names[targets["label"]],
            "margin": np.concatenate([*outputs.values()]).mean(0)[: len(targets)],
        }
    )
    return examples(
        shown,
        images.test_images[targets["row"].to_numpy()],
        extremes(scores, targets["target"].to_numpy(), number),
        images.train_images,
        names[images.train_labels],
        title=title,
    )


@styled
def examples(
    targets: pd.DataFrame,
    target_images: np.ndarray,
    picks: pd.DataFrame,
    train_images: np.ndarray,
    train_labels: np.ndarray,
    title: str = "Training images behind a prediction",
) -> Figure:
    """Draw a row a target: its image, then its most helpful and its most harmful training images with their scores.

    A training image of the target's class has a solid blue frame; one of another class a dashed orange frame, and a ≠
    before its class name.

    Args:
        targets: target (as in ``picks``), label (class name), margin (above 0: the prediction is right).
        target_images: uint8 (targets shown × C × H × W), C = 1 or 3, in the order of ``targets``.
        picks: as ``extremes`` returns it.
        train_images: uint8 (n × C × H × W), may be a memory map.
        train_labels: (n,) class names.
        title: above the figure.
    """
    count = int(picks["rank"].max()) + 1
    part = count * (IMAGE + GAP)
    left = {"target": 0.2, "helpful": 0.2 + IMAGE + SECTION, "harmful": 0.2 + IMAGE + 2 * SECTION + part}
    row = IMAGE + CAPTION
    page = Page(left["harmful"] + part + 0.1, 0.85 + len(targets) * row + 0.5)
    form = score_format(picks["score"].to_numpy())
    heads = {"target": "Target", "helpful": "Most helpful", "harmful": "Most harmful"}
    for side, text in heads.items():
        page.write(left[side], 0.72, text, 11)
    for line, target in enumerate(targets.itertuples()):
        top = 0.85 + line * row + CAPTION
        axes = page.image(left["target"], top, IMAGE, target_images[line])
        verdict = "right" if target.margin > 0 else "wrong"
        name = written(str(target.label), IMAGE - 0.15, 8)  # beside it there is room for the verdict
        axes.set_title(f"{name} ({verdict})\nmargin {number(target.margin, '+.2f')}", fontsize=8, weight="bold")
        for pick in picks[picks["target"] == target.target].itertuples():
            axes = page.image(left[pick.side] + pick.rank * (IMAGE + GAP), top, IMAGE, train_images[pick.row])
            label = str(train_labels[pick.row])
            same = label == target.label
            name = written(f"{'' if same else '≠ '}{label}", IMAGE + GAP / 2, 8)
            axes.set_title(f"{name}\n{number(pick.score, form)}", fontsize=8)
            frame(axes, dashed=not same)
    legend = "solid blue frame: same class as the target; dashed orange frame and ≠: another class"
    reading = "number: score, above 0 if training on the image raises the target's margin"
    page.write(0.2, page.height - 0.08, f"{reading}; {legend}", 8.5, color=EDGE, wrap=True)
    page.write(page.width / 2, 0.32, title, 12, ha="center")
    return page.figure
