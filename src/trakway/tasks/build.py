"""From an experiment's settings to its task."""

from pathlib import Path

from trakway.plan.loading import load
from trakway.tasks.base import Task


def build_task(
    settings: dict, data: Path, device: str = "cpu", targets: Path | None = None, function: str = "output"
) -> Task:
    """Return the task an experiment names.

    Args:
        settings: holds the sections ``task``, ``seed``, ``model`` and, by task and purpose, ``training``, ``diffusion``
            and ``journey``.
        data: folder of the prepared data set.
        device: ``"cpu"`` or ``"cuda"``.
        targets: the table of targets, where they are needed; other files of theirs lie beside it.
        function: what `Task.output` is, see `trakway.plan.functions`; ``"output"`` for tasks without steps.
    """
    return load("task", settings["task"])(settings, data, device, targets, function)
