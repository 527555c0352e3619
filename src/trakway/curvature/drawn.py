"""Gradients of the loss at labels that the model itself draws: their second moment is the Gauss-Newton matrix.

For cross-entropy it is the true Fisher matrix (Martens, JMLR 2020, section 9), for a squared error the matrix of its
Gauss-Newton approximation when the error is drawn with the variance that makes it so (see `Task.drawn`).
"""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from trakway import seeds
from trakway.gradients import per_example_gradients
from trakway.storage.resumable import row_blocks
from trakway.tasks import Batch, Task

TOGETHER = 50  # examples that one generator draws, so that ``chunk`` changes no draw


class Drawn:
    """Training examples with labels that a model drew: the same each time, whatever the size of a block.

    Attributes:
        scored: the task, with minus the training loss of an example for its f.
    """

    def __init__(self, task: Task, model: nn.Module, count: int, chunk: int):
        """Say what is drawn.

        Args:
            task: gives the training examples, their loss and its draws.
            model: draws the labels; in eval mode.
            count: how many examples, cycling through the training set.
            chunk: examples at a time; bounds the memory (chunk × p floats).
        """
        self.task, self.model, self.count, self.chunk = task, model, count, chunk
        self.scored = copy.copy(task)
        self.scored.output = lambda model, batch: -task.losses(model, batch)

    def batches(self) -> Iterator[Batch]:
        """Yield all that is drawn, in blocks of at most ``chunk`` examples."""
        for block in row_blocks(self.count, TOGETHER):
            batch = self._draw(block)
            for part in row_blocks(block.stop - block.start, self.chunk):
                yield tuple(tensor[part] for tensor in batch)

    def gradients(self) -> Iterator[Tensor]:
        """Yield the gradients of f of all that is drawn, float32 (chunk, p)."""
        for batch in self.batches():
            yield per_example_gradients(self.scored, self.model, batch)[1]

    def _draw(self, block: slice) -> Batch:
        rng = seeds.generator(self.task.seed, "drawn", block.start)
        batch = self.task.training_batch(np.arange(block.start, block.stop) % self.task.train_size, rng)
        with torch.no_grad():
            return self.task.drawn(self.model, batch, rng)
