"""Model outputs f of trained models: the ground truth that all methods share."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn

from trakway.errors import UserError
from trakway.progress import track
from trakway.resumable import row_blocks
from trakway.tasks import Task

EVALUATION_BATCH = 500


@torch.no_grad()
def model_outputs(task: Task, model: nn.Module) -> np.ndarray:
    """Return f of every example of the test split: float64, shape (test examples,)."""
    parts = [
        task.output(model, task.target_batch(np.arange(block.start, block.stop))).double().cpu()
        for block in row_blocks(task.test_size, EVALUATION_BATCH)
    ]
    return torch.cat(parts).numpy()


def ensemble_outputs(task: Task, models: Iterable[tuple[str, nn.Module]], count: int) -> np.ndarray:
    """Return f of every (model, test example): float64, shape (models, test examples).

    Args:
        task: gives f.
        models: (file name, model) pairs, loaded one at a time.
        count: how many there are.

    Raises:
        UserError: an output is not finite; names the model and the example.
    """
    outputs = np.empty((count, task.test_size))
    for row, (name, model) in enumerate(track(models, "models evaluated", total=count)):
        outputs[row] = model_outputs(task, model)
        bad = np.flatnonzero(~np.isfinite(outputs[row]))
        if len(bad):
            raise UserError(
                f"checkpoint {name}: the model output of test example {bad[0]} is not finite; delete the file and run "
                "again, and lower training.learning_rate if it comes back"
            )
    return outputs
