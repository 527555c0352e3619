"""Image diffusion (DDPM): noise is added to pixels and removed from them (Ho et al., NeurIPS 2020)."""

from pathlib import Path

import numpy as np
from torch import Tensor, nn

from trakway.data import ImageData
from trakway.models import build_model
from trakway.plan.modalities import Modality
from trakway.tasks.diffusion import Diffusion

MODALITY = Modality(
    traits=("image", "steps", "unit_slope"),
    sections=("model", "diffusion"),
    feature_sections=("journey.train_draws", "journey.window", "journey.window_draws"),
    target_sections=("journey",),
    targets="sampled",
    target_files=("images.npy", "noisy.npy", "estimates.npy", "timesteps.json"),
    main="journey_trak",
    models=("unet",),
    domain="image_classification",
)


class ImageDiffusion(Diffusion):
    """Images in [-1, 1], see `trakway.tasks.diffusion`."""

    def __init__(
        self, settings: dict, data: Path, device: str = "cpu", targets: Path | None = None, function: str = "output"
    ):
        super().__init__(settings, device, targets, function)
        self.data = ImageData.load(data)
        self.train_size = len(self.data.train_labels)
        self.test_size = len(self.data.test_labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.data.shape

    def architecture(self) -> nn.Module:
        return build_model(self.model_settings, self.shape, len(self.data.classes))

    def clean(self, split: str, rows: np.ndarray) -> Tensor:
        return self.data.centred(split, rows)

    def test_samples(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return test images in [-1, 1], float32 (B, C, H, W), and their labels."""
        return self.clean("test", rows).numpy(), self.data.test_labels[rows]
