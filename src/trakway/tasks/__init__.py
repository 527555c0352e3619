"""Tasks: one object a modality, everything else is written against it."""

from trakway.tasks.base import Batch, Model, Task
from trakway.tasks.build import build_task
from trakway.tasks.generative import Classifier, Generative

__all__ = ["Batch", "Classifier", "Generative", "Model", "Task", "build_task"]
