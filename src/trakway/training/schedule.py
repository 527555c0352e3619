"""When things happen in a training run: batches, learning rates and checkpoints, from the settings alone."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from trakway.errors import UserError


class Schedule:
    """The steps of one run: ``epochs`` passes over its examples, or ``steps`` steps whatever their number.

    With ``epochs``, an epoch is every example once, in equal batches of about ``batch_size``. With ``steps``, it is as
    many batches of exactly ``batch_size`` as there are whole ones among the examples, other examples being left over
    each time, and the last epoch may end early; fewer examples than a batch are one smaller batch. So models of
    subsets of any size take the same steps at the same learning rates.

    Attributes:
        batches: steps an epoch.
        steps: steps of the run.
        epochs: epochs of the run, one that ends early included.
        checkpoints: numbers of steps after which a checkpoint is kept: evenly spaced (with ``epochs``, after whole
            ones), the last one final.
    """

    def __init__(self, size: int, training: dict):
        """Plan the training of ``size`` examples.

        Args:
            size: number of training examples, at least 1.
            training: the ``training`` section of an experiment.

        Raises:
            UserError: not exactly one of epochs and steps is set.
        """
        epochs, steps, batch_size = training["epochs"], training["steps"], training["batch_size"]
        if (epochs is None) == (steps is None):
            raise UserError(
                f"training: found epochs {epochs}, steps {steps}; exactly one of them says how long to train:"
                " make the other null"
            )
        self.size = size
        self.peak, self.warmup = training["learning_rate"], training["warmup"]
        if steps is None:
            self.batches, self.seen = max(1, round(size / batch_size)), size
            self.steps, unit, length = epochs * self.batches, self.batches, epochs
        else:
            self.batches = max(1, size // batch_size)
            self.seen = min(size, self.batches * batch_size)
            self.steps, unit, length = steps, 1, steps
        self.epochs = -(-self.steps // self.batches)
        count = training["checkpoints"]
        self.checkpoints = [unit * round(length * (i + 1) / count) for i in range(count)]

    def epoch(self, number: int, order: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the steps of an epoch, both counted from 0, with their batches: ``order`` cut into parts."""
        start = number * self.batches
        parts = np.array_split(order[: self.seen], self.batches)
        yield from zip(range(start, min(start + self.batches, self.steps)), parts, strict=False)

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0: up over the warm-up, then down to zero."""
        position = (step + 1) / (self.steps + 1)
        shape = position / self.warmup if position < self.warmup else (1 - position) / (1 - self.warmup)
        return self.peak * shape

    def rates_before_checkpoints(self) -> list[float]:
        """Return for each checkpoint the learning rate summed over an example's visits since the one before.

        An example is expected to be visited once an epoch, or by the share of the examples that an epoch sees.
        """
        return [self._visited(start, stop) for start, stop in pairwise([0, *self.checkpoints])]

    def _visited(self, start: int, stop: int) -> float:
        ends = range((start // self.batches + 1) * self.batches, stop, self.batches)
        total = 0.0
        for first, last in pairwise([start, *ends, stop]):
            visits = (last - first) * self.seen / (self.batches * self.size)
            total += visits * float(np.mean([self.learning_rate(step) for step in range(first, last)]))
        return total
