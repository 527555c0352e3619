"""Image classification: cross-entropy, and the margin as model output (TRAK, section 3.3 and equation 5)."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trakway.data import ImageData
from trakway.models import build_model
from trakway.plan.modalities import Modality
from trakway.storage.files import read_table
from trakway.storage.resumable import row_blocks
from trakway.tasks.augmentation import crop, flip
from trakway.tasks.base import Batch, Model, Task
from trakway.tasks.margin import margin

MODALITY = Modality(
    traits=("image", "border"),
    models=("resnet_small", "resnet9", "resnet18", "resnet50"),
    augmentations=("none", "flip", "crop_flip"),
)

EVALUATION_BATCH = 500
ON_DEVICE_BYTES = 4 << 30  # a split below this size is moved to the device once, as float32


class ImageClassification(Task):
    """Images (float32, normalised, channels first) with labels; a batch is ``(images, labels)``."""

    def __init__(
        self, settings: dict, data: Path, device: str = "cpu", targets: Path | None = None, function: str = "output"
    ):
        self.seed = settings["seed"]
        self.model_settings = settings["model"]
        self.augmentation = settings.get("training", {}).get("augmentation", "none")
        self.device = device
        self.data = ImageData.load(data)
        self.train_size = len(self.data.train_labels)
        self.test_size = len(self.data.test_labels)
        self.labels = {
            "train": torch.tensor(self.data.train_labels, device=device),
            "test": torch.tensor(self.data.test_labels, device=device),
        }
        self.images = {"train": self._on_device("train"), "test": self._on_device("test")}
        # Without a table every test example is a target.
        self.target_rows = np.arange(self.test_size) if targets is None else read_table(targets)["row"].to_numpy()

    def _on_device(self, split: str) -> Tensor | None:
        """Return all images of a split as float32 on the device; None where that is too large."""
        if 4 * getattr(self.data, f"{split}_images").size > ON_DEVICE_BYTES:
            return None
        rows = np.arange(len(self.labels[split]))
        return self.data.batch(split, rows).to(self.device, memory_format=torch.channels_last)

    def _batch(self, split: str, rows: np.ndarray) -> Batch:
        index = torch.as_tensor(rows, device=self.device)
        images = self.images[split]
        if images is None:
            return self.data.batch(split, rows).to(self.device), self.labels[split][index]
        return images[index], self.labels[split][index]

    def architecture(self) -> nn.Module:
        network = build_model(self.model_settings, self.data.shape, len(self.data.classes))
        return network.to(memory_format=torch.channels_last)

    def train_batch(self, rows: np.ndarray) -> Batch:
        return self._batch("train", rows)

    def target_batch(self, entries: np.ndarray) -> Batch:
        return self._batch("test", self.target_rows[entries])

    def loss(self, model: Model, batch: Batch) -> Tensor:
        images, labels = batch
        return F.cross_entropy(model(images).float(), labels)

    def output(self, model: Model, batch: Batch) -> Tensor:
        images, labels = batch
        return margin(model(images), labels)

    def loss_slope(self, outputs: Tensor) -> Tensor:
        # Loss = log(1 + exp(-f)), hence -dLoss/df = 1 - p_y = sigmoid(-f).
        return torch.sigmoid(-outputs)

    def training_batch(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        images, labels = self.train_batch(rows)
        if "crop" in self.augmentation:
            images = crop(images, rng, padding=4)
        if "flip" in self.augmentation:
            images = flip(images, rng)
        return images, labels

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        right = [
            self.output(model, self._batch("test", np.arange(block.start, block.stop))) > 0
            for block in row_blocks(self.test_size, EVALUATION_BATCH)
        ]
        return {"accuracy": float(torch.cat(right).double().mean())}

    def sample_batch(self, samples: Tensor) -> Batch:
        """Return images (B, C, H, W) in [-1, 1], what lies beyond cut off, as a batch."""
        pixels = samples.to(self.device).clamp(-1, 1) / 2 + 0.5
        return self.data.standardised(pixels), torch.zeros(len(pixels), dtype=torch.int64, device=pixels.device)

    def probabilities(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the probability of each class, (B, classes)."""
        return model(batch[0]).softmax(1)

    def representation(self, model: nn.Module, batch: Batch) -> Tensor:
        seen = []
        last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
        hook = last.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        try:
            model(batch[0])
        finally:
            hook.remove()
        return seen[0]
