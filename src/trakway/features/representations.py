"""What the models' last layer sees of training examples and targets."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from trakway.runtime.progress import track
from trakway.storage.resumable import row_blocks
from trakway.tasks import Batch, Task


@torch.no_grad()
def extract_representations(
    task: Task,
    models: Sequence[Callable[[], nn.Module]],
    target_batch: Callable[[np.ndarray], Batch],
    targets: int,
    chunk: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the models' last layer sees: float32 (models, n, d) of training examples, (models, targets, d).

    Args:
        task: gives the training examples and what the last layer sees.
        models: load them, one at a time.
        target_batch: from positions of targets to their batch.
        targets: how many there are.
        chunk: examples at a time.
    """
    train, target = [], []
    for load in track(list(models), "representations"):
        model = load()
        for found, size, batch in ((train, task.train_size, task.train_batch), (target, targets, target_batch)):
            parts = [
                task.representation(model, batch(np.arange(block.start, block.stop)))
                for block in row_blocks(size, chunk)
            ]
            found.append(torch.cat(parts).float().cpu().numpy())
    return np.stack(train), np.stack(target)
