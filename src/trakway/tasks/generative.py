"""What is asked of tasks whose models generate, and of the classifiers that look at what they generate."""

from abc import abstractmethod
from typing import Protocol

import numpy as np
from torch import Tensor, nn

from trakway.tasks.base import Batch, Task


class Generative(Task):
    """A task whose model removes noise, step by step; its targets are samples of it (the trait ``steps``).

    Models are called ``model(noisy, timestep, return_dict=False)[0]``, as those of diffusers, and so are checkpoints.

    Attributes:
        diffusion: the section of this name: ``timesteps``, ``schedule``, ``sampling_steps``.
        journey: likewise: ``timesteps`` (those attributed), ``patches`` and numbers of draws.
        shape: of a sample, e.g. channels, height and width.
    """

    checkpoint_format = "diffusers"

    diffusion: dict
    journey: dict
    shape: tuple[int, ...]

    @abstractmethod
    def scheduler(self):
        """Return a new ``diffusers.DDPMScheduler`` of the noise that the models were trained with."""

    @abstractmethod
    def test_samples(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return test examples as samples look, float32 (B, *shape), and their labels (B,)."""


class Classifier(Protocol):
    """A task that can compare what models generate: it classifies the same data."""

    def sample_batch(self, samples: Tensor) -> Batch:
        """Return samples (B, ...) of a generative task as a batch on the device, whatever their labels."""

    def probabilities(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the probability of each class, (B, classes)."""

    def representation(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return what the model's last layer sees, (B, d)."""
