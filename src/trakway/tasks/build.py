"""From an experiment's settings to its task."""

import importlib
from pathlib import Path

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
        function: what `Task.output` is, see `trakway.plan.FUNCTIONS`; only diffusion has more than ``"output"``.
    """
    module = importlib.import_module(f"trakway.tasks.{settings['task']}")
    kind = next(c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__)
    return kind(settings, data, device, targets, function)
