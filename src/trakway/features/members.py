"""The members of a shard."""

from pathlib import Path

from trakway.features.extraction import Member
from trakway.tasks import Task
from trakway.training import load_model


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
