"""Pictures: target images with the training images that helped and harmed them most."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from trakway.figures.pictures import Page, frame, score_format
from trakway.figures.style import EDGE, number, styled

IMAGE, GAP, SECTION, CAPTION = 1.0, 0.14, 0.42, 0.48  # inches: an image, between images, between parts, lines of text


def extremes(scores: np.ndarray, targets: np.ndarray, count: int) -> pd.DataFrame:
    """Find the training examples with the highest and the lowest scores.

    Args:
        scores: (all targets × n), may be a memory map; only the rows asked for are read.
        targets: positions of the targets to show.
        count: how many of each side; at most n // 2 are taken.

    Returns:
        Columns target, side ("helpful" | "harmful"), rank (0: the most extreme), row (training example), score.
    """
    rows = []
    for target in targets:
        values = np.asarray(scores[target], dtype=np.float64)
        order = np.argsort(-values, kind="stable")
        count = min(count, len(order) // 2)
        for side, picked in (("helpful", order[:count]), ("harmful", order[::-1][:count])):
            rows += [(int(target), side, rank, int(row), values[row]) for rank, row in enumerate(picked)]
    return pd.DataFrame(rows, columns=["target", "side", "rank", "row", "score"])


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
        axes.set_title(f"{target.label} ({verdict})\nmargin {number(target.margin, '+.2f')}", fontsize=8, weight="bold")
        for pick in picks[picks["target"] == target.target].itertuples():
            axes = page.image(left[pick.side] + pick.rank * (IMAGE + GAP), top, IMAGE, train_images[pick.row])
            label = str(train_labels[pick.row])
            same = label == target.label
            axes.set_title(f"{'' if same else '≠ '}{label}\n{number(pick.score, form)}", fontsize=8)
            frame(axes, dashed=not same)
    legend = "solid blue frame: same class as the target; dashed orange frame and ≠: another class"
    reading = "number: score, above 0 if training on the image raises the target's margin"
    page.write(0.2, page.height - 0.08, f"{reading}; {legend}", 8.5, color=EDGE, wrap=True)
    page.write(page.width / 2, 0.32, title, 12, ha="center")
    return page.figure
