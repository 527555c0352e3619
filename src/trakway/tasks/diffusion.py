"""Diffusion of whatever: the loss of a denoising network, and minus that loss as model output.

With x_t = √ᾱ_t x_0 + √(1-ᾱ_t) ε, an example's loss is ‖ε - ε_θ(x_t, t)‖² (mean over coordinates), averaged over steps t
and noise ε (Ho et al., NeurIPS 2020, equation 14), or ‖v - v_θ(x_t, t)‖² with v = √ᾱ_t ε - √(1-ᾱ_t) x_0 (Salimans & Ho,
ICLR 2022, appendix D). The output of an entry of the table of targets is minus the loss

- of the image x_0 over the whole schedule, for an entry without a timestep (TRAK of a diffusion model), or
- at step t alone, of the estimate x̂_0(x_t) that the reference model made there on the image's way, for an entry with
  a timestep (journey-TRAK; Georgiev et al., 2023, section 3).

The noise belongs to the example, (seed, row), or to the entry, (seed, image, timestep): every model sees the same
draws, and no batch size changes them.
"""

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trakway import seeds
from trakway.plan.functions import is_window, window_timestep
from trakway.storage.files import read_table
from trakway.targets.table import seen_by
from trakway.tasks.base import Batch, Model
from trakway.tasks.generative import Generative

EVALUATED = 100  # test images whose loss is reported for every model
EVALUATION_DRAWS = 5


class Diffusion(Generative):
    """States x_0, in which noise is added and removed: images, or latents of images.

    A batch is (x_t (B, D, C, H, W), timesteps (B, D), goal as x_t, conditions (B, D, ...)..., weights (B, 1, H, W)),
    with D draws of (timestep, noise, condition) an example; the goal is what the network should predict, the weights of
    the coordinates sum to 1 over all channels. ``function`` says what `output` is: ``output`` is minus the loss,
    ``norm`` is ‖ε_θ(x_t, t)‖² (D-TRAK; Zheng et al., ICLR 2024, equation 10), and ``window-T`` is ``output`` with
    training examples seen at steps around T alone.
    """

    clips = True
    """Whether x̂_0 is kept within [-1, 1] while sampling, as pixels are."""

    def __init__(self, settings: dict, device: str, targets: Path | None, function: str):
        self.seed = settings["seed"]
        self.model_settings = settings["model"]
        self.diffusion = settings["diffusion"]
        self.journey = settings.get("journey", {})
        self.device = device
        self.function = function
        if targets is not None:
            self.targets = read_table(targets)
            self.seen = seen_by(self.targets, Path(targets).parent, self.states)

    @abstractmethod
    def clean(self, split: str, rows: np.ndarray) -> Tensor:
        """Return x_0 of examples of ``train`` or ``test``, float32 (B, *shape), on the CPU."""

    def conditions(
        self, split: str, rows: np.ndarray, draws: int, rng: np.random.Generator | None = None
    ) -> list[Tensor]:
        """Return what the network is told of examples at each draw, tensors (B, D, ...) on the device.

        Args:
            split: ``train`` or ``test``.
            rows: of the examples.
            draws: D.
            rng: of a step of training; None: an output is asked for, a function of the example alone.
        """
        return []

    def target_conditions(self, entries: pd.DataFrame, draws: int) -> list[Tensor]:
        """Return likewise what it is told of entries of the table of targets."""
        return []

    def call(self, model: Model, noised: Tensor, timesteps: Tensor, *conditions: Tensor) -> Tensor:
        """Return what a network predicts for rows (R, C, H, W), steps (R,) and conditions (R, ...)."""
        return model(noised, timesteps, return_dict=False)[0]

    def scheduler(self):
        """Return a new ``diffusers.DDPMScheduler`` of the experiment's noise schedule."""
        from diffusers import DDPMScheduler

        return DDPMScheduler(
            num_train_timesteps=self.diffusion["timesteps"],
            beta_schedule=self.diffusion["schedule"],
            beta_start=self.diffusion["beta_start"],
            beta_end=self.diffusion["beta_end"],
            prediction_type=self.diffusion["prediction"],
            clip_sample=self.clips,
        )

    @cached_property
    def schedule(self):
        """The scheduler that noise is added with."""
        return self.scheduler()

    def training_batch(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        steps = rng.integers(0, self.diffusion["timesteps"], (len(rows), 1))
        noise = rng.standard_normal((len(rows), 1, *self.shape), np.float32)
        conditions = self.conditions("train", rows, 1, rng)
        return self._batch(self.clean("train", rows), steps, noise, conditions)

    def train_batch(self, rows: np.ndarray) -> Batch:
        if is_window(self.function):
            center, width = window_timestep(self.function), self.journey["window"]
            low = center - width // 2
            steps = self._spread(self.journey["window_draws"], low, low + width)
            key = ("window noise", center)
        else:
            steps, key = self._spread(self.journey["train_draws"]), ("train noise",)
        noise = self._noise([(*key, row) for row in rows], len(steps))
        conditions = self.conditions("train", rows, len(steps))
        return self._batch(self.clean("train", rows), np.tile(steps, (len(rows), 1)), noise, conditions)

    def target_batch(self, entries: np.ndarray) -> Batch:
        table = self.targets.iloc[entries]
        draws, last = self.journey["target_draws"], self.diffusion["timesteps"]
        steps = [self._spread(draws) if pd.isna(step) else np.full(draws, step) for step in table["timestep"]]
        keys = list(zip(table["target"], table["timestep"].fillna(last), strict=True))
        noise = self._noise([("target noise", *key) for key in keys], draws)
        states = torch.from_numpy(self.seen[entries])
        weights = torch.from_numpy(np.stack([self._weights(patch) for patch in table["patch"]]))
        return self._batch(states, np.stack(steps), noise, self.target_conditions(table, draws), weights)

    def losses(self, model: Model, batch: Batch) -> Tensor:
        return -self._minus_loss(model, batch)

    def drawn(self, model: Model, batch: Batch, rng: np.random.Generator) -> Batch:
        noised, timesteps, goal, *conditions, weights = batch
        distance = torch.from_numpy(rng.standard_normal(goal.shape, np.float32)).to(goal.device)
        # No distance where a coordinate does not count.
        spread = torch.where(weights > 0, (2 * weights).rsqrt(), 0)[:, None]
        return noised, timesteps, self._predict(model, batch).detach() + spread * distance, *conditions, weights

    def output(self, model: Model, batch: Batch) -> Tensor:
        if self.function != "norm":
            return self._minus_loss(model, batch)
        predicted, weights = self._predict(model, batch), batch[-1][:, None]
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
        conditions = self.conditions("test", rows, EVALUATION_DRAWS)
        return {"test_loss": float(self.loss(model, self._batch(self.clean("test", rows), steps, noise, conditions)))}

    def _minus_loss(self, model: Model, batch: Batch) -> Tensor:
        goal, weights = batch[2], batch[-1][:, None]
        return -((self._predict(model, batch) - goal).square() * weights).sum((2, 3, 4)).mean(1)

    def _predict(self, model: Model, batch: Batch) -> Tensor:
        noised, timesteps, _, *conditions, _ = batch
        rows = (tensor.flatten(0, 1) for tensor in (noised, timesteps, *conditions))
        predicted = self.call(model, *rows)
        if predicted.dtype in (torch.bfloat16, torch.float16):
            predicted = predicted.float()
        return predicted.unflatten(0, timesteps.shape)

    def _batch(
        self,
        states: Tensor,
        steps: np.ndarray,
        noise: np.ndarray,
        conditions: list[Tensor],
        weights: Tensor | None = None,
    ) -> Batch:
        states, noise, timesteps = (
            tensor.to(self.device) for tensor in (states, torch.from_numpy(noise), torch.from_numpy(steps))
        )
        if weights is None:
            weights = torch.from_numpy(self._weights("")).expand(len(states), -1, -1, -1)
        copies = states[:, None].expand_as(noise).flatten(0, 1)
        mixed = copies, noise.flatten(0, 1), timesteps.flatten()
        noised = self.schedule.add_noise(*mixed).view_as(noise)
        velocity = self.diffusion["prediction"] == "v_prediction"
        goal = self.schedule.get_velocity(*mixed).view_as(noise) if velocity else noise
        return noised, timesteps, goal, *conditions, weights.to(self.device)

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
        top, left, bottom, right = self._boxes[patch]
        mask[:, top:bottom, left:right] = 1
        return mask / (mask.sum() * channels)

    @cached_property
    def _boxes(self) -> dict[str, list[int]]:
        """Where patches are: top, left, bottom, right, brought from a picture's pixels to coordinates of a state."""
        scale = self.picture_shape[-1] // self.shape[-1]
        boxes = {"": [0, 0, *self.shape[1:]]}
        for patch in self.journey.get("patches", []):
            top, left, height, width = patch["box"]
            ends = [-(-(top + height) // scale), -(-(left + width) // scale)]
            boxes[patch["name"]] = [top // scale, left // scale, *ends]
        return boxes
