"""Train one model on a triangular learning rate, resumable at every epoch."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from trakway import seeds
from trakway.tasks import Task
from trakway.training.averaging import AveragedModel
from trakway.training.checkpoint import save_checkpoint
from trakway.training.optimizer import build_optimizer
from trakway.training.schedule import Schedule
from trakway.training.state import State

SAVE_SECONDS = 60.0  # keep the state of a run at the end of an epoch once this much work would be lost


def autocast(training: dict, device: str) -> torch.autocast:
    """Return the autocast context: bfloat16 where asked for, or (auto) on a GPU that computes in it."""
    kind = torch.device(device).type
    wanted = training["precision"] == "bfloat16"
    if training["precision"] == "auto":
        wanted = kind == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(kind, torch.bfloat16, enabled=wanted)


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Draw dropout from a seed, and sum in a fixed order on a GPU; on a CPU with one thread nothing needs saying.

    Attention goes without its fused kernels: their backward passes add up in the order in which threads finish.
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    cudnn = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=True)
    with cudnn, sdpa_kernel(SDPBackend.MATH), torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield


def train_model(task: Task, rows: np.ndarray, training: dict, seed: int, path: Path, fingerprint: str) -> dict:
    """Train a model on training examples ``rows`` and write its checkpoints.

    The final model goes to ``path`` (``NAME`` with the suffix of the task's format), earlier checkpoint c to
    ``NAME.c``. The result is a function of the arguments alone: data order comes from ``(seed, epoch)``, all that is
    random in a batch from ``(seed, step)``.

    Args:
        task: gives model, batches and loss, and names the format of checkpoints.
        rows: positions in the training split.
        training: the ``training`` section of an experiment.
        seed: initial weights, data order, random changes to the batches.
        path: the final checkpoint.
        fingerprint: identifies the run; an interrupted run of another fingerprint is not continued.

    Returns:
        ``{"curve": [{"epoch", "loss", "learning_rate"}...]}``: the mean over each epoch.
    """
    schedule = Schedule(len(rows), training)
    model = task.new_model(seed).train()
    averaged = None if training["ema"] is None else AveragedModel(model, training["ema"])
    state = State(model, build_optimizer(model.parameters(), training), averaged)
    state_path = path.with_suffix(f".{fingerprint}.state.safetensors")
    if state_path.exists():
        state.restore(state_path)
    last_saved = time.monotonic()
    for epoch in range(len(state.curve), schedule.epochs):
        state.curve.append({"epoch": epoch + 1, **_train_epoch(task, rows, training, seed, schedule, epoch, state)})
        if epoch + 1 < schedule.epochs and time.monotonic() - last_saved > SAVE_SECONDS:
            state.save(state_path)
            last_saved = time.monotonic()
    for index, weights in enumerate(state.kept):
        model.load_state_dict(weights)
        last = index == len(state.kept) - 1
        save_checkpoint(task, model, path if last else checkpoint_path(path, index), training["stored"])
    for abandoned in path.parent.glob(f"{path.stem}.*.state.safetensors"):  # of other runs too
        abandoned.unlink()
    return {"curve": state.curve}


def _train_epoch(
    task: Task, rows: np.ndarray, training: dict, seed: int, schedule: Schedule, epoch: int, state: State
) -> dict:
    """Take the steps of an epoch; returns its mean loss and learning rate."""
    # An order of all examples, of which a subset keeps its own: two subsets meet what they share in the same order.
    order = seeds.generator(seed, "epoch", epoch).permutation(task.train_size)
    losses, rates, seen = [], [], 0
    for step, part in schedule.epoch(epoch, order[np.isin(order, rows)]):
        rate = schedule.learning_rate(step)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        batch = task.training_batch(part, seeds.generator(seed, "step", step))
        with deterministic(seeds.derive(seed, "dropout", step)):
            with autocast(training, task.device):
                loss = task.loss(state.model, batch)
            state.optimizer.zero_grad()
            loss.backward()
        state.optimizer.step()
        if state.averaged is not None:
            state.averaged.update()
        if step + 1 in schedule.checkpoints:
            state.keep()
        losses.append(loss.detach() * len(part))
        rates.append(rate)
        seen += len(part)
    return {"loss": float(torch.stack(losses).sum()) / seen, "learning_rate": float(np.mean(rates))}


def checkpoint_path(path: Path, index: int) -> Path:
    """Return the file of intermediate checkpoint ``index`` of the model whose final checkpoint is ``path``."""
    return path.with_suffix(f".{index}{path.suffix}")
