"""Image diffusion (DDPM): the noise-prediction loss, and minus that loss as model output.

With x_t = √ᾱ_t x_0 + √(1-ᾱ_t) ε, an example's loss is ‖ε - ε_θ(x_t, t)‖² (mean over pixels), averaged over steps t and
noise ε (Ho et al., NeurIPS 2020, equation 14). The output of an entry of the table of targets is minus the loss

- of the image x_0 over the whole schedule, for an entry without a timestep (TRAK of a diffusion model), or
- at step t alone, of the estimate x̂_0(x_t) that the reference model made there on the image's way, for an entry with
  a timestep (journey-TRAK; Georgiev et al., 2023, section 3).

The noise belongs to the example, (seed, row), or to the entry, (seed, image, timestep): every model sees the same
draws, and no batch size changes them.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trakway import seeds
from trakway.data import ImageData
from trakway.models import build_model
from trakway.plan.functions import is_window, window_timestep
from trakway.plan.modalities import Modality
from trakway.storage.files import read_table
from trakway.targets.table import seen_by
from trakway.tasks.base import Batch, Model
from trakway.tasks.generative import Generative

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

EVALUATED = 100  # test images whose loss is reported for every model
EVALUATION_DRAWS = 5


class ImageDiffusion(Generative):
    """Images in [-1, 1]; a batch is (x_t (B, D, C, H, W), timesteps (B, D), noise as x_t, weights (B, 1, H, W)).

    D draws of (timestep, noise) an example; the weights of the pixels sum to 1 over all channels. ``function`` says
    what `output` is: ``output`` is minus the loss, ``norm`` is ‖ε_θ(x_t, t)‖² (D-TRAK; Zheng et al., ICLR 2024,
    equation 10), and ``window-T`` is ``output`` with training examples seen at steps around T alone.
    """

    def __init__(
        self,
        settings: dict,
        data: Path,
        device: str = "cpu",
        targets: Path | None = None,
        function: str = "output",
    ):
        self.seed = settings["seed"]
        self.model_settings = settings["model"]
        self.diffusion = settings["diffusion"]
        self.journey = settings.get("journey", {})
        self.device = device
        self.function = function
        self.data = ImageData.load(data)
        self.train_size = len(self.data.train_labels)
        self.test_size = len(self.data.test_labels)
        if targets is not None:
            self.targets = read_table(targets)
            self.seen = seen_by(self.targets, Path(targets).parent)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.data.shape

    def scheduler(self):
        """Return a new ``diffusers.DDPMScheduler`` of the experiment's noise schedule."""
        from diffusers import DDPMScheduler

        return DDPMScheduler(num_train_timesteps=self.diffusion["timesteps"], beta_schedule=self.diffusion["schedule"])

    @cached_property
    def schedule(self):
        """The scheduler that noise is added with."""
        return self.scheduler()

    def architecture(self) -> nn.Module:
        return build_model(self.model_settings, self.data.shape, len(self.data.classes))

    def training_batch(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        steps = rng.integers(0, self.diffusion["timesteps"], (len(rows), 1))
        noise = rng.standard_normal((len(rows), 1, *self.shape), np.float32)
        return self._batch(self._pixels("train", rows), steps, noise)

    def train_batch(self, rows: np.ndarray) -> Batch:
        if is_window(self.function):
            center, width = window_timestep(self.function), self.journey["window"]
            low = center - width // 2
            steps = self._spread(self.journey["window_draws"], low, low + width)
            key = ("window noise", center)
        else:
            steps, key = self._spread(self.journey["train_draws"]), ("train noise",)
        noise = self._noise([(*key, row) for row in rows], len(steps))
        return self._batch(self._pixels("train", rows), np.tile(steps, (len(rows), 1)), noise)

    def target_batch(self, entries: np.ndarray) -> Batch:
        table = self.targets.iloc[entries]
        draws, last = self.journey["target_draws"], self.diffusion["timesteps"]
        steps = [self._spread(draws) if pd.isna(step) else np.full(draws, step) for step in table["timestep"]]
        keys = list(zip(table["target"], table["timestep"].fillna(last), strict=True))
        noise = self._noise([("target noise", *key) for key in keys], draws)
        images = torch.from_numpy(self.seen[entries])
        weights = torch.from_numpy(np.stack([self._weights(patch) for patch in table["patch"]]))
        return self._batch(images, np.stack(steps), noise, weights)

    def loss(self, model: Model, batch: Batch) -> Tensor:
        return -self._minus_loss(model, batch).mean()

    def output(self, model: Model, batch: Batch) -> Tensor:
        if self.function != "norm":
            return self._minus_loss(model, batch)
        predicted, _, weights = self._predict(model, batch)
        return (predicted.square() * weights).sum((2, 3, 4)).mean(1)

    def loss_slope(self, outputs: Tensor) -> Tensor:
        return torch.ones_like(outputs)  # f is minus the loss: Q = I

    def pieces(self, batch: Batch, rows: int) -> Iterator[tuple[slice, float, Batch]]:
        examples, draws = batch[1].shape
        number = -(-examples // max(1, rows // draws))  # of pieces, alike: each new shape costs the library time
        together, width = -(-examples // number), min(draws, rows)
        for start in range(0, examples, together):
            part = slice(start, min(start + together, examples))
            for first in range(0, draws, width):
                drawn = slice(first, min(first + width, draws))
                *by_draw, weights = (tensor[part] for tensor in batch)
                yield part, (drawn.stop - first) / draws, (*(tensor[:, drawn] for tensor in by_draw), weights)

    @property
    def draws(self) -> int:
        return max(self.journey.get(key, 1) for key in ("train_draws", "target_draws", "window_draws"))

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        rows = np.arange(min(self.test_size, EVALUATED))
        noise = self._noise([("test noise", row) for row in rows], EVALUATION_DRAWS)
        steps = np.tile(self._spread(EVALUATION_DRAWS), (len(rows), 1))
        return {"test_loss": float(self.loss(model, self._batch(self._pixels("test", rows), steps, noise)))}

    def test_samples(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return test images in [-1, 1], float32 (B, C, H, W), and their labels."""
        return self._pixels("test", rows).numpy(), self.data.test_labels[rows]

    def _minus_loss(self, model: Model, batch: Batch) -> Tensor:
        predicted, noise, weights = self._predict(model, batch)
        return -((predicted - noise).square() * weights).sum((2, 3, 4)).mean(1)

    def _predict(self, model: Model, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        noised, timesteps, noise, weights = batch
        predicted = model(noised.flatten(0, 1), timesteps.flatten(), return_dict=False)[0]
        if predicted.dtype in (torch.bfloat16, torch.float16):
            predicted = predicted.float()
        return predicted.unflatten(0, timesteps.shape), noise, weights[:, None]

    def _batch(self, images: Tensor, steps: np.ndarray, noise: np.ndarray, weights: Tensor | None = None) -> Batch:
        images, noise, timesteps = (
            tensor.to(self.device) for tensor in (images, torch.from_numpy(noise), torch.from_numpy(steps))
        )
        if weights is None:
            weights = torch.from_numpy(self._weights("")).expand(len(images), -1, -1, -1)
        copies = images[:, None].expand_as(noise).flatten(0, 1)
        noised = self.schedule.add_noise(copies, noise.flatten(0, 1), timesteps.flatten()).view_as(noise)
        return noised, timesteps, noise, weights.to(self.device)

    def _pixels(self, split: str, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(getattr(self.data, f"{split}_images")[rows])).float() / 127.5 - 1

    def _spread(self, count: int, low: int = 0, high: int | None = None) -> np.ndarray:
        """Return ``count`` steps, the middles of as many equal parts of [low, high) within the schedule."""
        last = self.diffusion["timesteps"]
        low, high = max(0, low), min(last, last if high is None else high)
        return (low + (np.arange(count) + 0.5) * (high - low) / count).astype(np.int64)

    def _noise(self, keys: list[tuple], draws: int) -> np.ndarray:
        shape = (draws, *self.shape)
        return np.stack([seeds.generator(self.seed, *key).standard_normal(shape, np.float32) for key in keys])

    def _weights(self, patch: str) -> np.ndarray:
        channels, *size = self.shape
        mask = np.zeros((1, *size), np.float32)
        top, left, height, width = self._boxes[patch]
        mask[:, top : top + height, left : left + width] = 1
        return mask / (mask.sum() * channels)

    @cached_property
    def _boxes(self) -> dict[str, list[int]]:
        boxes = {patch["name"]: patch["box"] for patch in self.journey.get("patches", [])}
        return {"": [0, 0, *self.shape[1:]], **boxes}
