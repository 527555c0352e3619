"""Gradients of the loss at labels that the model itself draws: their second moment is the Gauss-Newton matrix.

For cross-entropy it is the true Fisher matrix (Martens, JMLR 2020, section 9), for a squared error the matrix of its
Gauss-Newton approximation when the error is drawn with the variance that makes it so (see `Task.drawn`).
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from trakway import seeds
from trakway.gradients import per_example_gradients
from trakway.storage.resumable import row_blocks
from trakway.tasks import Batch, Model, Task

TOGETHER = 50  # examples that one generator draws, so that ``chunk`` changes no draw


class Drawn:
    """A task whose f is minus the training loss of an example, and whose examples carry labels that a model drew.

    The same draws each time it is gone through, whatever the size of a block.
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
        self.device = task.device

    def output(self, model: Model, batch: Batch) -> Tensor:
        return -self.task.losses(model, batch)

    def attributed(self, model: nn.Module) -> list[str]:
        return self.task.attributed(model)

    def pieces(self, batch: Batch, rows: int) -> Iterator[tuple[slice, float, Batch]]:
        yield from self.task.pieces(batch, rows)

    def batches(self) -> Iterator[Batch]:
        """Yield all that is drawn, in blocks of at most ``chunk`` examples."""
        for block in row_blocks(self.count, TOGETHER):
            batch = self._draw(block)
            for part in row_blocks(block.stop - block.start, self.chunk):
                yield tuple(tensor[part] for tensor in batch)

    def gradients(self) -> Iterator[Tensor]:
        """Yield the gradients of f of all that is drawn, float32 (chunk, p)."""
        for batch in self.batches():
            yield per_example_gradients(self, self.model, batch)[1]

    def _draw(self, block: slice) -> Batch:
        rng = seeds.generator(self.task.seed, "drawn", block.start)
        batch = self.task.training_batch(np.arange(block.start, block.stop) % self.task.train_size, rng)
        with torch.no_grad():
            return self.task.drawn(self.model, batch, rng)
