"""Model outputs f of trained models: the ground truth that all methods share."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn

from trakway.errors import UserError
from trakway.runtime.progress import track
from trakway.storage.resumable import row_blocks
from trakway.tasks import Task

EVALUATION_ROWS = 2000  # rows that go through a model at a time


@torch.no_grad()
def model_outputs(task: Task, model: nn.Module, count: int) -> np.ndarray:
    """Return f of the first ``count`` entries of the table of targets: float64, shape (count,)."""
    outputs = torch.zeros(count, dtype=torch.float64)
    if count == 0:
        return outputs.numpy()
    for block in row_blocks(count, max(1, EVALUATION_ROWS // task.draws)):
        batch = task.target_batch(np.arange(block.start, block.stop))
        for examples, share, piece in task.pieces(batch, EVALUATION_ROWS):
            outputs[block][examples] += share * task.output(model, piece).double().cpu()
    return outputs.numpy()


def ensemble_outputs(
    task: Task, models: Iterable[tuple[str, nn.Module]], number: int, count: int
) -> tuple[np.ndarray, list[dict]]:
    """Return f of every (model, entry): float64, shape (models, entries), and `Task.evaluate` of every model.

    Args:
        task: gives f.
        models: (file name, model) pairs, loaded one at a time.
        number: how many models there are.
        count: how many entries, the first of the table of targets.

    Raises:
        UserError: an output is not finite; names the model and the entry.
    """
    outputs, quality = np.empty((number, count)), []
    for row, (name, model) in enumerate(track(models, "models evaluated", total=number)):
        outputs[row] = model_outputs(task, model, count)
        quality.append(task.evaluate(model))
        bad = np.flatnonzero(~np.isfinite(outputs[row]))
        if len(bad) or not np.isfinite(list(quality[-1].values())).all():
            what = f"model output of target {bad[0]}" if len(bad) else "evaluation on the test split"
            raise UserError(f"checkpoint {name}: the {what} is not finite; lower training.learning_rate")
    return outputs, quality
