"""The derivatives of all targets' outputs through one training run, as a file that survives a kill."""

import copy
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trakway.gradients.per_example import exact
from trakway.metagradients.exact import metagradients
from trakway.metagradients.flat import join
from trakway.metagradients.numerics import check_numerics
from trakway.metagradients.point import Point
from trakway.metagradients.recording import Recording, bytes_of_a_step, steps_of
from trakway.outputs.evaluation import EVALUATION_ROWS
from trakway.runtime.progress import track
from trakway.storage.resumable import Part, fill_arrays, row_blocks
from trakway.tasks import Task
from trakway.training.ensemble import DIFFERENTIATED
from trakway.training.run import Run

TOGETHER = {"cpu": 16, "cuda": 128}  # functions that go through the model at once


class Differentiated:
    """One training run and the derivatives of outputs of its final model; it is run when they are first asked for."""

    def __init__(
        self,
        task: Task,
        point: Point,
        number: int,
        starts: Sequence[float] = (0.0,),
        memory_mb: float = 2000,
        chunk: int | None = None,
    ):
        """Say what is differentiated.

        Args:
            task: with targets.
            point: at which the derivative is taken.
            number: of the run, part of its seed.
            starts: shares of the run, in [0, 1), that count as given, each with scores of its own.
            memory_mb: what the recorded states may take.
            chunk: functions that go through the model at once; None: as many as pay on the device.
        """
        self.task, self.weights, self.unit = task, point.weights, point.unit
        self.chunk = chunk or TOGETHER[torch.device(task.device).type]
        self.training = point.training | {"checkpoints": 1}
        self.seed = task.training_seed(DIFFERENTIATED, number)
        self.starts, self.memory_mb = starts, memory_mb

    def scores(self, entries: np.ndarray) -> np.ndarray:
        """Return the scores of all training examples for entries of the table of targets.

        Returns:
            float32 (entries, starts, n).
        """
        slopes = output_slopes(self.task, self.model, entries)
        steps = len(steps_of(self.recording.run))
        firsts = [round(start * steps) for start in self.starts]
        seen = iter(track(range(steps - min(firsts)), "steps gone back"))
        found = metagradients(self.recording, slopes, self.chunk, firsts, lambda _: next(seen, None))
        next(seen, None)
        return (self.unit * found).float().cpu().numpy()

    @cached_property
    def recording(self) -> Recording:
        """The run, at its end."""
        run = Run(self.task, np.arange(self.task.train_size), self.training, self.seed, self.weights)
        for said in check_numerics(run):
            print(f"note: {said}")
        room = max(1, int(self.memory_mb * 2**20 // bytes_of_a_step(run)))
        seen = iter(track(range(len(steps_of(run))), "steps recorded"))
        found = Recording(run, room, lambda: next(seen, None))
        next(seen, None)
        return found

    @cached_property
    def model(self) -> nn.Module:
        """The final model, its weights averaged where the run averages them."""
        state = self.recording.run.state
        model = state.model if state.averaged is None else state.averaged.module
        return self.task.prepare(copy.deepcopy(model).eval())


def output_slopes(task: Task, model: nn.Module, entries: np.ndarray) -> Tensor:
    """Return the gradients of outputs f in all trained parameters of a model, (entries, p)."""
    model = copy.deepcopy(model).requires_grad_()
    parameters = list(model.parameters())
    rows = []
    for entry in entries:
        total = None
        for _, share, piece in task.pieces(task.target_batch(np.array([entry])), EVALUATION_ROWS):
            with exact(task):
                slope = torch.autograd.grad(task.output(model, piece).sum(), parameters, materialize_grads=True)
            total = share * join(list(slope)) if total is None else total + share * join(list(slope))
        rows.append(total)
    return torch.stack(rows)


def write_scores(run: Differentiated, path: Path, entries: int, at_once: int, fingerprint: str) -> dict:
    """Write the scores of all entries of the table of targets, float32 (entries, starts, n); returns the cost.

    Args:
        run: what is differentiated.
        path: of the array.
        entries: how many there are.
        at_once: entries gone back with together; each such group goes through the whole run once.
        fingerprint: identifies run, targets and settings.
    """

    def scores(block: slice) -> tuple[np.ndarray]:
        return (run.scores(np.arange(block.start, block.stop)),)

    part = Part([path], [(entries, len(run.starts), run.task.train_size)], row_blocks(entries, at_once), scores)
    return fill_arrays([part], fingerprint, "groups of targets traced")
