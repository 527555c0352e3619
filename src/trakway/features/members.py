"""The members of a shard."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from trakway.tasks import Task
from trakway.training import load_model


@dataclass(frozen=True)
class Member:
    """One attribution model: its index in the ensemble, its checkpoint file, how to load it."""

    index: int
    file: str
    load: Callable[[], nn.Module]


def members_of(task: Task, shard: dict, folder: Path, checkpoint: int = -1) -> list[Member]:
    """Return the members that a shard describes.

    Args:
        task: how their models are built.
        shard: the description that training writes, with ``models``.
        folder: of their checkpoints.
        checkpoint: which one of each that was kept.
    """
    return [
        Member(
            model["index"],
            model["checkpoints"][checkpoint]["file"],
            lambda model=model: load_model(task, folder, model, checkpoint),
        )
        for model in shard["models"]
    ]
