"""From an experiment's settings to its task."""

from pathlib import Path

from trakway.tasks.base import Task


def build_task(settings: dict, data: Path, device: str = "cpu") -> Task:
    """Return the task an experiment names.

    Args:
        settings: holds the sections ``task``, ``seed``, ``model`` and, for training, ``training``.
        data: folder of the prepared data set.
        device: ``"cpu"`` or ``"cuda"``.
    """
    from trakway.tasks.image_classification import ImageClassification

    tasks = {"image_classification": ImageClassification}
    return tasks[settings["task"]](settings, data, device)
