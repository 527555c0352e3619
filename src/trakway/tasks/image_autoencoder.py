"""The autoencoder below latent diffusion: reconstruction, and a little divergence from the normal distribution.

The loss is the mean squared error of the pixels, plus a weight times the Kullback-Leibler divergence of the codes
(Rombach et al., CVPR 2022, appendix G; there with further terms that need networks of their own).
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trakway.data import ImageData
from trakway.models import build_model
from trakway.plan.modalities import Modality
from trakway.storage.resumable import row_blocks
from trakway.tasks.base import Batch, Model, Task

MODALITY = Modality(traits=("image", "unit_slope"), models=("autoencoder",))
EVALUATED = 200  # test images whose reconstruction is reported


class ImageAutoencoder(Task):
    """Images in [-1, 1]; a batch is (images (B, C, H, W), noise (B, c, h, w) with which codes are drawn)."""

    def __init__(
        self, settings: dict, data: Path, device: str = "cpu", targets: Path | None = None, function: str = "output"
    ):
        self.seed = settings["seed"]
        self.model_settings = settings["model"]
        self.device = device
        self.data = ImageData.load(data)
        self.train_size, self.test_size = len(self.data.train_labels), len(self.data.test_labels)

    def architecture(self) -> nn.Module:
        return build_model(self.model_settings, self.data.shape, len(self.data.classes))

    def training_batch(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        images, still = self.train_batch(rows)
        return images, torch.from_numpy(rng.standard_normal(still.shape, np.float32)).to(self.device)

    def train_batch(self, rows: np.ndarray) -> Batch:
        return self._batch("train", rows)

    def target_batch(self, entries: np.ndarray) -> Batch:
        return self._batch("test", entries)

    def loss(self, model: Model, batch: Batch) -> Tensor:
        images, noise = batch
        codes = model.encode(images).latent_dist
        drawn = codes.mean + codes.std * noise
        error = (model.decode(drawn).sample.float() - images).square().mean()
        return error + self.model_settings["kl_weight"] * codes.kl().float().mean() / images[0].numel()

    def output(self, model: Model, batch: Batch) -> Tensor:
        images, _ = batch
        found = model.decode(model.encode(images).latent_dist.mode()).sample
        return -(found - images).square().flatten(1).mean(1)

    def loss_slope(self, outputs: Tensor) -> Tensor:
        return torch.ones_like(outputs)

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        blocks = row_blocks(min(self.test_size, EVALUATED), 50)
        rows = [np.arange(block.start, block.stop) for block in blocks]
        errors = torch.cat([-self.output(model, self.target_batch(some)) for some in rows])
        return {"reconstruction_error": float(errors.mean())}

    def _batch(self, split: str, rows: np.ndarray) -> Batch:
        images = self.data.centred(split, rows).to(self.device, memory_format=torch.channels_last)
        smaller = 2 ** (len(self.model_settings["widths"]) - 1)
        _, height, width = self.data.shape
        shape = (len(rows), self.model_settings["latent_channels"], height // smaller, width // smaller)
        return images, images.new_zeros(shape)
