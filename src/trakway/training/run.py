"""A training run, step by step: a function of its arguments alone, from whatever state it is taken up."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from trakway import seeds
from trakway.tasks import Batch, Task
from trakway.training.averaging import AveragedModel
from trakway.training.optimizer import build_optimizer
from trakway.training.schedule import Schedule
from trakway.training.state import State


class Run:
    """One training run.

    Data order comes from ``(seed, epoch)``, all that is random in a batch from ``(seed, step)``.

    Attributes:
        schedule: what happens when.
        state: how far it has come.
    """

    def __init__(self, task: Task, rows: np.ndarray, training: dict, seed: int, weights: np.ndarray | None = None):
        """Begin a run.

        Args:
            task: gives model, batches and loss.
            rows: positions in the training split of the examples that are visited.
            training: the ``training`` section of an experiment.
            seed: initial weights, data order, random changes to the batches.
            weights: of all training examples, (n,): each example's loss is multiplied by its own, and the sum is
                divided by the number of examples of the batch, whatever their weights. Nothing else differs: with
                weight 0 an example is gone, and no other one moves. None: all are 1.
        """
        self.task, self.rows, self.training, self.seed = task, rows, training, seed
        self.weights = None if weights is None else torch.as_tensor(weights, device=task.device)
        self.schedule = Schedule(len(rows), training)
        model = task.new_model(seed).train()
        averaged = None if training["ema"] is None else AveragedModel(model, training["ema"])
        self.state = State(model, build_optimizer(model.parameters(), training), averaged)

    def epoch(self, number: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the steps of an epoch, counted from 0, with their examples."""
        # An order of all examples, of which a subset keeps its own: two subsets meet what they share in the same order.
        order = seeds.generator(self.seed, "epoch", number).permutation(self.task.train_size)
        yield from self.schedule.epoch(number, order[np.isin(order, self.rows)])

    def batch(self, step: int, part: np.ndarray) -> Batch:
        """Return the batch of a step."""
        return self.task.training_batch(part, seeds.generator(self.seed, "step", step))

    def loss(self, step: int, part: np.ndarray) -> Tensor:
        """Return the loss of a step, a scalar with its graph."""
        batch = self.batch(step, part)
        with autocast(self.training, self.task.device):
            if self.weights is None:
                return self.task.loss(self.state.model, batch)
            losses = self.task.losses(self.state.model, batch)
        return (losses * self.weights[part].to(losses.dtype)).mean()

    def take(self, step: int, part: np.ndarray) -> Tensor:
        """Take a step; returns its loss. The gradients it was taken with stay in the parameters' ``grad``."""
        state = self.state
        for group in state.optimizer.param_groups:
            group["lr"] = self.schedule.learning_rate(step)
        with numerics(self.training), seeded(seeds.derive(self.seed, "dropout", step)):
            loss = self.loss(step, part)
            state.optimizer.zero_grad()
            loss.backward()
        state.optimizer.step()
        if state.averaged is not None:
            state.averaged.update()
        return loss.detach()


def in_bfloat16(training: dict, device: str) -> bool:
    """Whether steps compute in bfloat16: where asked for, or (auto) on a GPU that does."""
    if training["precision"] == "auto":
        return torch.device(device).type == "cuda" and torch.cuda.is_bf16_supported()
    return training["precision"] == "bfloat16"


def autocast(training: dict, device: str) -> torch.autocast:
    """Return the autocast context of a step's loss."""
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=in_bfloat16(training, device))


@contextmanager
def numerics(training: dict) -> Iterator[None]:
    """Sum in a fixed order on a GPU, and in full float32 where training asks for it; on a CPU nothing needs saying.

    Attention goes without its fused kernels: their backward passes add up in the order in which threads finish.
    """
    rounded = training["precision"] != "float32"
    cudnn = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=rounded)
    with cudnn, sdpa_kernel(SDPBackend.MATH):
        yield


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw dropout from a seed, and leave torch's generators as they were."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
