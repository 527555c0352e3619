"""Figures of a notebook: bars of the LDS, and pictures of the examples that helped and harmed most."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trakway.errors import UserError
from trakway.figures.examples import examples as draw_examples
from trakway.figures.examples import extremes
from trakway.figures.lds import draw as draw_lds
from trakway.notebook.task import TensorTask

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figure(
    shown: pd.DataFrame | np.ndarray,
    task: TensorTask | None = None,
    *,
    outputs: np.ndarray | None = None,
    targets: Sequence[int] = (0, 1, 2, 3),
    examples: int = 5,
    classes: Sequence[str] | None = None,
    title: str | None = None,
) -> "Figure":
    """Draw what `trakway.lds` or `trakway.score` gave; a notebook shows the figure, ``.savefig(path)`` keeps it.

    Args:
        shown: a table of `trakway.lds`: a bar a method. Or scores (targets, n) of a task with pictures (first part of
            the examples (n, C, H, W), C = 1 or 3) and labels: a row a target, its most helpful and harmful examples.
        task: of the scores.
        outputs: (models, targets), as `trakway.evaluate` gives them of the members: their mean is written to a target.
        targets: positions of the targets to show.
        examples: training examples to show on either side.
        classes: names of the labels 0, 1, …; by default the numbers.
        title: above the figure.

    Raises:
        UserError: there are no pictures, or the shapes do not fit.
    """
    named = {"title": title} if title else {}
    if isinstance(shown, pd.DataFrame):
        return draw_lds(shown, **named)
    scores = np.asarray(shown)
    if not isinstance(task, TensorTask) or outputs is None:
        raise UserError("figure: pictures need figure(scores, task, outputs=trakway.evaluate(task, members))")
    if scores.shape != (task.test_size, task.train_size) or np.shape(outputs)[1:] != (task.test_size,):
        raise UserError(
            f"figure: found scores {scores.shape} and outputs {np.shape(outputs)}, allowed:"
            f" ({task.test_size}, {task.train_size}) and (models, {task.test_size})"
        )
    places = np.asarray(targets)[np.asarray(targets) < task.test_size]
    pictures = {what: part.tensors[0] for what, part in task.examples.items()}
    if pictures["train"].ndim != 4 or pictures["train"].shape[1] not in (1, 3) or task.labels is None:
        raise UserError(
            f"figure: found examples of shape {tuple(pictures['train'].shape)}, allowed: pictures (n, 1 or 3, height,"
            " width) with labels; of other examples, look at np.argsort(-scores[target])"
        )
    names = np.array([str(i) for i in range(1 + max(int(part.max()) for part in task.labels.values()))])
    names = names if classes is None else np.array(classes)
    low, high = float(pictures["train"].min()), float(pictures["train"].max())

    def to_bytes(part) -> np.ndarray:
        scaled = (part.float().cpu().numpy() - low) / (high - low or 1)
        return np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8)

    table = pd.DataFrame(
        {
            "target": places,
            "label": names[task.labels["targets"].numpy()[places]],
            "margin": np.mean(outputs, axis=0)[places],
        }
    )
    return draw_examples(
        table,
        to_bytes(pictures["targets"][places]),
        extremes(scores, places, examples),
        to_bytes(pictures["train"]),
        names[task.labels["train"].numpy()],
        **named,
    )
