"""Projected gradients of a task's training examples and targets."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from trakway.attribution.reading import load_features
from trakway.attribution.values import Features
from trakway.errors import UserError
from trakway.features.extraction import Extractor, load_member
from trakway.features.members import Member
from trakway.gradients import Preconditioner, build_preconditioner
from trakway.notebook.identity import task_digest
from trakway.notebook.models import Models
from trakway.notebook.options import check_options
from trakway.notebook.session import Workspace, undisturbed
from trakway.projection import VERSION
from trakway.storage.files import read_json, write_json
from trakway.storage.fingerprint import fingerprint
from trakway.tasks import Task

KEPT_BYTES = 1 << 30  # models kept loaded

PROJECTION = {
    "kind": "sjlt",
    "dim": 1024,
    "nonzeros": 1,
    "precision": "float32",
    "parameters": "",
    "preconditioner": "none",
    "preconditioner_examples": 50,
    "damping": 0.1,
}
"""The options of `featurize` with their defaults: those of the section ``projection`` of an experiment."""


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Features of the members of a task.

    Attributes:
        task: whose features they are.
        members: of each member ``train`` (n, k), ``targets`` (targets, k), ``weights`` (n,) and ``learning_rate``.
        parameters: number of attributed parameters p.
        workspace: the folder that the arrays are mapped from.
    """

    task: Task
    members: list[Features]
    parameters: int
    workspace: Workspace


@undisturbed()
def featurize(
    task: Task,
    members: Models,
    *,
    checkpoint: int = -1,
    chunk: int = 50,
    folder: str | os.PathLike | None = None,
    **projection: Any,
) -> FeatureSet:
    """Compute the projected gradients of f of all training examples and targets, for every member.

    Args:
        task: see `trakway.task`.
        members: models of the task, from `trakway.train` or `trakway.load`.
        checkpoint: which kept checkpoint of each; the last one is final.
        chunk: examples at a time; bounds the memory (chunk × p floats), changes no feature beyond rounding.
        folder: keeps the arrays; the same call later takes them from there, or goes on where it was interrupted.
        projection: kind ("sjlt", "rademacher", "factored", or "identity" with dim=None), dim (k), nonzeros (of sjlt),
            precision, parameters (a regular expression of names), preconditioner ("none", "kronecker"),
            preconditioner_examples, damping.

    Raises:
        UserError: an option is unknown or out of range, or a checkpoint or a gradient is not finite.
    """
    check_options("featurize", projection, PROJECTION)
    section = PROJECTION | ({"dim": None} if projection.get("kind") == "identity" else {}) | projection
    if not -len(members.files[0]) <= checkpoint < len(members.files[0]):
        raise UserError(f"checkpoint: found {checkpoint}, but {len(members.files[0])} of each model are kept")
    workspace = Workspace(folder)
    identity = fingerprint(task_digest(task, __file__), members.digest()) if workspace.kept else "notebook"
    mark = fingerprint(identity, section, checkpoint, chunk)
    info = workspace.path / "train.json"
    if not _finished(info, mark):
        info.unlink(missing_ok=True)  # before the arrays that it speaks of are replaced
        load = _loader(members, checkpoint)
        described = [Member(i, files[checkpoint], lambda i=i: load(i)) for i, files in enumerate(members.files)]
        extractor = Extractor(task, described, section, chunk, _fitted(task, described, section, chunk), mark)
        extractor.write_targets(workspace.path, np.arange(task.test_size))
        parameters, _ = extractor.write_train(workspace.path)
        rates = [rates[checkpoint] for rates in members.rates]
        made = {"projection": section, "definition": VERSION, "parameters": parameters, "function": "output"}
        write_json(workspace.path / "targets.json", made)
        write_json(info, {**made, "identity": mark, "learning_rates": rates})
    return FeatureSet(task, load_features([workspace.path]), read_json(info)["parameters"], workspace)


def _fitted(task: Task, members: list[Member], section: dict, chunk: int) -> Callable[[int], Preconditioner] | None:
    """Return what gives the preconditioner of a member, fitted when it is first asked for; None for none."""
    if section["preconditioner"] == "none":
        return None
    return functools.cache(lambda m: build_preconditioner(section, task, load_member(task, members[m]), chunk))


def _loader(members: Models, checkpoint: int) -> Callable[[int], nn.Module]:
    """Return what loads a member; it keeps small ones, which are asked for again with the targets."""

    def load(index: int) -> nn.Module:
        return members.load(index, checkpoint)

    size = sum(tensor.nbytes for tensor in members[0].state_dict().values())
    return functools.cache(load) if size * len(members) <= KEPT_BYTES else load


def _finished(info: Path, mark: str) -> bool:
    """Whether a folder holds the whole result of the same call."""
    try:
        return read_json(info)["identity"] == mark
    except (FileNotFoundError, ValueError, KeyError):
        return False
