"""Train one model on a triangular learning rate, resumable at every epoch."""

import time
from pathlib import Path

import numpy as np
import torch

from trakway.errors import UserError
from trakway.tasks import Task
from trakway.training.checkpoint import save_checkpoint
from trakway.training.run import Run

SAVE_SECONDS = 60.0  # keep the state of a run at the end of an epoch once this much work would be lost


def train_model(
    task: Task,
    rows: np.ndarray,
    training: dict,
    seed: int,
    path: Path,
    fingerprint: str,
    weights: np.ndarray | None = None,
) -> dict:
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
        weights: of all training examples, (n,), see `trakway.training.run.Run`; None: all are 1.

    Returns:
        ``{"curve": [{"epoch", "loss", "learning_rate"}...]}``: the mean over each epoch.

    Raises:
        UserError: the loss of a step is NaN or infinite.
    """
    run = Run(task, rows, training, seed, weights)
    state, schedule = run.state, run.schedule
    state_path = path.with_suffix(f".{fingerprint}.state.safetensors")
    if state_path.exists():
        state.restore(state_path)
    last_saved = time.monotonic()
    for epoch in range(len(state.curve), schedule.epochs):
        state.curve.append({"epoch": epoch + 1, **_train_epoch(run, epoch)})
        if epoch + 1 < schedule.epochs and time.monotonic() - last_saved > SAVE_SECONDS:
            state.save(state_path)
            last_saved = time.monotonic()
    for index, kept in enumerate(state.kept):
        state.model.load_state_dict(kept)
        last = index == len(state.kept) - 1
        save_checkpoint(task, state.model, path if last else checkpoint_path(path, index), training["stored"])
    for abandoned in path.parent.glob(f"{path.stem}.*.state.safetensors"):  # of other runs too
        abandoned.unlink()
    return {"curve": state.curve}


def _train_epoch(run: Run, epoch: int) -> dict:
    """Take the steps of an epoch; returns its mean loss and learning rate.

    Raises:
        UserError: the loss of a step is NaN or infinite.
    """
    losses, rates, steps, seen = [], [], [], 0
    for step, part in run.epoch(epoch):
        losses.append(run.take(step, part) * len(part))
        steps.append(step)
        rates.append(run.schedule.learning_rate(step))
        seen += len(part)
        if step + 1 in run.schedule.checkpoints:
            run.state.keep()
    total = torch.stack(losses)  # looked at once an epoch: a GPU does not wait for each step
    bad = torch.nonzero(~torch.isfinite(total))
    if len(bad):
        raise UserError(
            f"the loss is {float(total[bad[0]]):g} at step {steps[int(bad[0])] + 1} of {run.schedule.steps}; lower"
            " training.learning_rate, raise training.warmup, or look at the examples"
        )
    return {"loss": float(total.sum()) / seen, "learning_rate": float(np.mean(rates))}


def checkpoint_path(path: Path, index: int) -> Path:
    """Return the file of intermediate checkpoint ``index`` of the model whose final checkpoint is ``path``."""
    return path.with_suffix(f".{index}{path.suffix}")
