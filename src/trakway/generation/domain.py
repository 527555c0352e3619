"""The classifier of an experiment's domain: its features and probabilities compare images that a model generates.

For small grey or icon images the usual Inception network says little; a classifier trained on the same data set takes
its place, and every table names it.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trakway.plan import task_settings
from trakway.storage.files import read_json
from trakway.storage.resumable import row_blocks
from trakway.tasks import Batch, Classifier, build_task
from trakway.training import load_model

IMAGES_AT_ONCE = 1000


class DomainClassifier:
    """A trained classifier of the data set.

    Attributes:
        task: its own.
        model: in eval mode.
    """

    def __init__(self, task: Classifier, model: nn.Module):
        self.task = task
        self.model = model

    @classmethod
    def load(cls, settings: dict, data: Path, models: Path, device: str) -> "DomainClassifier":
        """Load the classifier that training described in ``models`` (JSON), by the experiment's settings."""
        task = build_task(task_settings(settings, "domain"), data, device)
        shard = read_json(models)
        return cls(task, load_model(task, models.parent / shard["folder"], shard["models"][0]))

    def batch(self, images: Tensor | np.ndarray) -> Batch:
        """Return samples (B, ...) as the classifier's batch."""
        if isinstance(images, np.ndarray):
            images = torch.tensor(images)  # a copy: files are mapped read-only, and tensors can be written
        return self.task.sample_batch(images)

    @torch.no_grad()
    def __call__(self, images: Tensor | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what the last layer sees (B, d) and the class probabilities (B, classes), float32."""
        features, probabilities = [], []
        for block in row_blocks(len(images), IMAGES_AT_ONCE):
            batch = self.batch(images[block])
            features.append(self.task.representation(self.model, batch))
            probabilities.append(self.task.probabilities(self.model, batch))
        return torch.cat(features).float().cpu().numpy(), torch.cat(probabilities).float().cpu().numpy()
