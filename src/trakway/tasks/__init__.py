"""Tasks: one object a modality, everything else is written against it."""

from trakway.tasks.base import Batch, Model, Task
from trakway.tasks.build import build_task

__all__ = ["Batch", "Model", "Task", "build_task"]
