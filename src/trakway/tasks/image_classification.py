"""Image classification: networks from images to the logits of classes."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trakway.data import ImageData
from trakway.models import build_model
from trakway.plan.modalities import Modality
from trakway.tasks.augmentation import crop, flip
from trakway.tasks.base import Batch, Model
from trakway.tasks.classification import Classification

MODALITY = Modality(
    traits=("image", "border"),
    models=("resnet_small", "resnet9", "resnet18", "resnet50"),
    augmentations=("none", "flip", "crop_flip"),
)

ON_DEVICE_BYTES = 4 << 30  # a split below this size is moved to the device once, as float32


class ImageClassification(Classification):
    """Images (float32, normalised, channels first) with labels; a batch is ``(images, labels)``."""

    def __init__(
        self, settings: dict, data: Path, device: str = "cpu", targets: Path | None = None, function: str = "output"
    ):
        self.data = ImageData.load(data)
        super().__init__(settings, self.data.classes, len(self.data.test_labels), device, targets)
        self.augmentation = settings.get("training", {}).get("augmentation", "none")
        self.train_size = len(self.data.train_labels)
        self.labels = {
            "train": torch.tensor(self.data.train_labels, device=device),
            "test": torch.tensor(self.data.test_labels, device=device),
        }
        self.images = {"train": self._on_device("train"), "test": self._on_device("test")}

    def _on_device(self, split: str) -> Tensor | None:
        """Return all images of a split as float32 on the device; None where that is too large."""
        if 4 * getattr(self.data, f"{split}_images").size > ON_DEVICE_BYTES:
            return None
        rows = np.arange(len(self.labels[split]))
        return self.data.batch(split, rows).to(self.device, memory_format=torch.channels_last)

    def batch(self, split: str, rows: np.ndarray) -> Batch:
        index = torch.as_tensor(rows, device=self.device)
        images = self.images[split]
        if images is None:
            return self.data.batch(split, rows).to(self.device), self.labels[split][index]
        return images[index], self.labels[split][index]

    def architecture(self) -> nn.Module:
        network = build_model(self.model_settings, self.data.shape, len(self.classes))
        return network.to(memory_format=torch.channels_last)

    def logits(self, model: Model, batch: Batch) -> Tensor:
        return model(batch[0])

    def training_batch(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        images, labels = self.train_batch(rows)
        if "crop" in self.augmentation:
            images = crop(images, rng, padding=4)
        if "flip" in self.augmentation:
            images = flip(images, rng)
        return images, labels

    def sample_batch(self, samples: Tensor) -> Batch:
        """Return images (B, C, H, W) in [-1, 1], what lies beyond cut off, as a batch."""
        pixels = samples.to(self.device).clamp(-1, 1) / 2 + 0.5
        return self.data.standardised(pixels), torch.zeros(len(pixels), dtype=torch.int64, device=pixels.device)
