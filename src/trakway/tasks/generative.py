"""What is asked of tasks whose models generate, and of the classifiers that look at what they generate."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trakway.tasks.base import Batch, Task


class Generative(Task):
    """A task whose model removes noise, step by step; its targets are samples of it (the trait ``steps``).

    Models are called ``model(noisy, timestep, ..., return_dict=False)[0]``, as those of diffusers, and so are
    checkpoints. Noise is added to states, and removed from them; what a person looks at are pictures: the states
    themselves, or what `decode` makes of them.

    Attributes:
        diffusion: the section of this name: ``timesteps``, ``schedule``, ``sampling_steps``.
        journey: likewise: ``timesteps`` (those attributed), ``patches`` and numbers of draws.
        shape: of a state, e.g. channels, height and width.
        network: what diffusers calls the network.
        states: how the names of files of states begin beside the table of targets, those of pictures begin with
            nothing; "": states are pictures.
    """

    checkpoint_format = "diffusers"
    network = "UNet2DModel"
    states = ""

    diffusion: dict
    journey: dict
    shape: tuple[int, ...]

    @property
    def picture_shape(self) -> tuple[int, ...]:
        """Of a picture, e.g. channels, height and width."""
        return self.shape

    @abstractmethod
    def scheduler(self):
        """Return a new ``diffusers.DDPMScheduler`` of the noise that the models were trained with."""

    def check_pipeline(self, path: Path) -> None:
        """Check what lies beside the network in a user's own folder of a pipeline.

        Raises:
            UserError: it is not what the experiment's own networks see the world through.
        """

    @abstractmethod
    def test_samples(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the states of test examples, float32 (B, *shape), and their labels (B,)."""

    def test_captions(self, rows: np.ndarray) -> list[str]:
        """Return what test examples are called, "" where the models are not told."""
        return [""] * len(rows)

    def tell(self, captions: Sequence[str], folder: Path) -> None:
        """Make captions known that a person has typed, and write into the folder of the targets what that takes."""

    def prompts(self, role: str, count: int, typed: Sequence[str] = ()) -> pd.DataFrame:
        """Return what samples are drawn of: ``caption`` ("": whatever the model likes) and its ``label`` (-1: none).

        Args:
            role: names the stream of random numbers.
            count: how many.
            typed: the captions of the first ones, where the models read any; others do not depend on them.
        """
        return pd.DataFrame({"caption": "", "label": -1}, index=range(count))

    def exchanged(self, prompts: pd.DataFrame) -> pd.DataFrame:
        """Return for each of some `prompts` another one of another label, the nearest there is in words."""
        return prompts[:0]

    def told(self, model: nn.Module, captions: Sequence[str]) -> Callable[..., tuple[Tensor, ...]]:
        """Return a model as samples are drawn from it, told a caption for each row of what it is called with."""
        return model

    def decode(self, states: Tensor | np.ndarray) -> Tensor:
        """Return pictures (B, C, H, W), about [-1, 1], of states (B, *shape)."""
        return torch.as_tensor(np.array(states)) if isinstance(states, np.ndarray) else states


class Classifier(Protocol):
    """A task that can compare what models generate: it classifies the same data."""

    def sample_batch(self, samples: Tensor) -> Batch:
        """Return pictures (B, ...) of a generative task as a batch on the device, whatever their labels."""

    def probabilities(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the probability of each class, (B, classes)."""

    def representation(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return what the model's last layer sees, (B, d)."""
