"""Train an ensemble on subsets of a task's training examples."""

import os
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from trakway.errors import UserError
from trakway.notebook.identity import task_digest
from trakway.notebook.models import Models
from trakway.notebook.options import check_options
from trakway.notebook.session import Workspace, undisturbed
from trakway.storage.fingerprint import fingerprint
from trakway.tasks import Task
from trakway.training import Ensemble, load_model, train_shard

TRAINING = {
    "optimizer": "sgd",
    "epochs": 8,
    "steps": None,
    "batch_size": 50,
    "learning_rate": 0.2,
    "momentum": 0.9,
    "weight_decay": 0.0005,
    "epsilon_root": 0,
    "warmup": 0.25,
    "precision": "auto",
    "removal": "resample",
    "paired": False,
    "checkpoints": 1,
    "stored": "float32",
    "ema": None,
}
"""The options of `train` with their defaults: those of the section ``training`` of an experiment."""

_named: WeakKeyDictionary[Task, dict] = WeakKeyDictionary()  # options that were named in earlier calls


@undisturbed()
def train(
    task: Task,
    subsets: np.ndarray,
    *,
    name: str = "members",
    seeds: int = 1,
    folder: str | os.PathLike | None = None,
    **options: Any,
) -> Models:
    """Train a model on every subset; model j * seeds + s is the s-th of subset j.

    Args:
        task: see `trakway.task`.
        subsets: bool (subsets, n): which training examples each model sees, as `trakway.random_subsets` draws them.
        name: of the ensemble; part of every model's seed, so that ``"members"`` and ``"evaluation"`` share none.
        seeds: models a subset.
        folder: keeps the models, in a subfolder of this name; the same call later takes finished ones from there and
            goes on with the rest. None: they last as long as what is returned.
        options: of training: optimizer ("sgd" with Nesterov momentum, "adamw"), epochs or steps, batch_size,
            learning_rate (the peak of one cycle), momentum, weight_decay, epsilon_root (of "adamw", within its root),
            warmup (share of the steps), precision ("auto", "float32", "bfloat16"), removal ("resample" to visit a
            subset alone, "reweight" to drop the rest at its place), paired (models of different subsets share seeds),
            checkpoints (how many are kept), ema (decay of the average of the weights). What is not named is as it was
            last named for this task, so that a bank is trained as the members are; see `TRAINING` for where nothing
            was.

    Raises:
        UserError: an option is unknown or out of range, or the subsets do not fit the task.
    """
    training = _training(task, options)
    masks = check_masks(subsets, task.train_size)
    if int(seeds) != seeds or seeds < 1:
        raise UserError(f"seeds: found {seeds}, allowed: 1 or more models a subset")
    workspace = Workspace(folder)
    place = workspace.path / name
    ensemble = Ensemble(name, masks, int(seeds), training["removal"] == "reweight")
    identity = task_digest(task, __file__) if workspace.kept else "notebook"
    records, curves, _ = train_shard(task, ensemble, range(len(ensemble)), training, identity, place)

    def load(index: int, checkpoint: int, workspace: Workspace = workspace):  # which lives as long as this function
        return load_model(task, place, records[index], checkpoint)

    return Models(
        task,
        [[checkpoint["file"] for checkpoint in record["checkpoints"]] for record in records],
        [record["learning_rates"] for record in records],
        load,
        lambda: fingerprint([record["checkpoints"] for record in records]),
        pd.DataFrame(curves),
        training,
    )


def check_masks(subsets: Any, n: int, least: int = 1) -> np.ndarray:
    """Return subsets as bool (subsets, n).

    Raises:
        UserError: they are nothing of the kind, or fewer than ``least``.
    """
    masks = np.asarray(subsets)
    if masks.ndim != 2 or masks.shape[1] != n or not np.isin(masks, (0, 1)).all():
        raise UserError(
            f"subsets: found shape {masks.shape} and type {masks.dtype}, allowed: True and False of shape (subsets,"
            f" {n}), a column a training example, as trakway.random_subsets gives"
        )
    if len(masks) < least:
        raise UserError(
            f"subsets: found {len(masks)}, allowed: {least} or more"
            + (", since the LDS is a rank correlation over subsets" if least > 1 else "")
        )
    return masks.astype(bool)


def _training(task: Task, options: dict) -> dict:
    """Return all options of training, checked; remember those that were named."""
    check_options("train", options, TRAINING)
    named = _named.get(task, {}) | options
    for one, other in (("steps", "epochs"), ("epochs", "steps")):  # either says how long, and takes the other's place
        if options.get(one) is not None:
            named[other] = options.get(other)
    training = TRAINING | named
    for key, (allowed, fits) in _ALLOWED.items():
        if not fits(training[key]):
            raise UserError(f"train: found {key}={training[key]!r}, allowed: {allowed}")
    _named[task] = named
    return training


def _whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 1


def _between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (int, float)) and low <= value < high


_ALLOWED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "optimizer": ("'sgd' or 'adamw'", lambda value: value in ("sgd", "adamw")),
    "epochs": ("a whole number from 1 on, or None beside steps", lambda value: value is None or _whole(value)),
    "steps": ("a whole number from 1 on, or None beside epochs", lambda value: value is None or _whole(value)),
    "batch_size": ("a whole number from 1 on", _whole),
    "learning_rate": ("a number above 0", lambda value: _between(0, np.inf)(value) and value > 0),
    "momentum": ("a number from 0 to below 1", _between(0, 1)),
    "weight_decay": ("a number from 0 on", _between(0, np.inf)),
    "epsilon_root": ("a number from 0 on", _between(0, np.inf)),
    "warmup": ("a number from 0 to below 1", _between(0, 1)),
    "precision": ("'auto', 'float32' or 'bfloat16'", lambda value: value in ("auto", "float32", "bfloat16")),
    "removal": ("'resample' or 'reweight'", lambda value: value in ("resample", "reweight")),
    "paired": ("True or False", lambda value: isinstance(value, bool)),
    "checkpoints": ("a whole number from 1 on", _whole),
    "stored": ("'float32' or 'float16'", lambda value: value in ("float32", "float16")),
    "ema": ("None, or a number above 0 and below 1", lambda value: value is None or (_between(0, 1)(value) and value)),
}
