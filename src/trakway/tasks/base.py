"""The one abstraction: what a modality has to say for itself.

Training, outputs, gradients, scores and validation are written once against `Task`. A new modality, or a user's
own model, is one subclass and one YAML file.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from trakway import seeds
from trakway.errors import UserError
from trakway.plan.places import place

Batch = tuple[Tensor, ...]
"""Tensors whose first dimension is the example."""

Model = Callable[..., Tensor]
"""A module, or a function that calls one with given parameters."""


class Task(ABC):
    """A modality: model, training loss, model output f, and its examples.

    It is built from (settings, data, device, targets, function), see `trakway.tasks.build_task`.

    Attributes:
        seed: the experiment's seed.
        model_settings: the section ``model``; empty where the task needs none.
        train_size: number of training examples n.
        test_size: number of examples in the test split.
        device: where models and batches live.
        checkpoint_format: ``"safetensors"``, a file each, or ``"diffusers"``, a folder of ``save_pretrained`` each; the
            task then has a method ``scheduler`` that returns the noise scheduler which belongs to the model.
        draws: how many random draws f of an example is a mean over: as many rows go through the model.
    """

    seed: int
    model_settings: Mapping = MappingProxyType({})
    train_size: int
    test_size: int
    device: str
    checkpoint_format: str = "safetensors"

    @abstractmethod
    def architecture(self) -> nn.Module:
        """Build an untrained model; its initial weights come from torch's global generator."""

    @abstractmethod
    def train_batch(self, rows: np.ndarray) -> Batch:
        """Return training examples ``rows`` as a batch on the device: the input of `loss` and `output`."""

    @abstractmethod
    def target_batch(self, entries: np.ndarray) -> Batch:
        """Return ``entries`` of the table of targets (positions) as a batch on the device."""

    @abstractmethod
    def output(self, model: Model, batch: Batch) -> Tensor:
        """Return f for each example, shape (B,), larger is better. An example's f must not depend on the others."""

    @abstractmethod
    def loss_slope(self, outputs: Tensor) -> Tensor:
        """Return ``-dLoss/df`` at outputs f, shape (B,): the diagonal of Q (TRAK, section 3.2); ones where Q = I."""

    def losses(self, model: Model, batch: Batch) -> Tensor:
        """Return the training loss of each example, shape (B,), which must not depend on the others.

        Raises:
            UserError: this task says only what the mean is.
        """
        raise UserError(
            f"{type(self).__name__}: found no losses(model, batch); allowed: one that returns the training loss of each"
            " example, (B,); what weighs single examples needs it"
        )

    def loss(self, model: Model, batch: Batch) -> Tensor:
        """Return the training loss, a scalar: the mean over the batch."""
        return self.losses(model, batch).mean()

    def drawn(self, model: Model, batch: Batch, rng: np.random.Generator) -> Batch:
        """Return a batch of `training_batch` with labels that the model draws, for methods of curvature.

        They are drawn so that the second moment of ∇ℓ is the Gauss-Newton matrix of the loss: labels as likely as the
        model says, or soft ones with the same moment; goals of a squared error Σ w r² at a distance of variance 1 / 2w.

        Raises:
            UserError: this task does not say how.
        """
        raise UserError(
            f"{type(self).__name__}: found no drawn(model, batch, rng); allowed: one that returns a batch with labels"
            " drawn from the model; methods of curvature need it"
        )

    def training_batch(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        """Return training examples ``rows`` for a step of training, randomly changed where a task says so."""
        return self.train_batch(rows)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return how good a model is on the test split, by name of the measure."""
        return {}

    def from_folder(self, path: Path) -> nn.Module:
        """Return a model from a user's own folder of ``save_pretrained``, on the CPU, its parts as in `architecture`.

        Raises:
            UserError: this task has none, or the folder's does not fit it.
        """
        raise UserError(
            f"{path} is a folder, and the models of {type(self).__name__} come from files of safetensors, each a state"
            " dict; give those"
        )

    def export(self, model: nn.Module, folder: Path) -> None:
        """Write a trained model as a folder that needs nothing of this library.

        Raises:
            UserError: the checkpoints of this task are that already.
        """
        raise UserError(
            f"the checkpoints of {type(self).__name__} are {self.checkpoint_format} with nothing left out; use them as"
            " they are"
        )

    @property
    def sources(self) -> list[Path]:
        """Files whose code decides what this task computes, with all that they import."""
        own = Path(inspect.getfile(type(self)))
        return [own, place("model", self.model_settings["name"]).file] if self.model_settings else [own]

    @property
    def draws(self) -> int:
        return 1

    def pieces(self, batch: Batch, rows: int) -> Iterator[tuple[slice, float, Batch]]:
        """Cut a batch whose f is a mean over draws into pieces of at most about ``rows`` model rows.

        Yields:
            (examples, share, piece): f of the examples is the sum of share times f of the pieces they are in.
        """
        yield slice(None), 1.0, batch

    def prepare(self, model: nn.Module) -> nn.Module:
        """Return a loaded model ready for use, in eval mode: the place to freeze, or to attach what is not saved."""
        return model

    def attributed(self, model: nn.Module) -> list[str]:
        """Return the names of the parameters whose gradients are used, in the order of the features' coordinates."""
        return [name for name, parameter in model.named_parameters() if parameter.requires_grad]

    def representation(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return what the model's last layer sees, shape (B, d), for the baseline of representation similarity."""
        raise NotImplementedError(f"{type(self).__name__} has no representation")

    def new_model(self, seed: int) -> nn.Module:
        """Return an untrained model on the device, its initial weights a function of ``seed`` alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = self.architecture()
        return model.to(self.device)

    def training_seed(self, ensemble: str, index: int) -> int:
        """Return the seed of one model of an ensemble: initial weights, data order, augmentation."""
        return seeds.derive(self.seed, f"train:{ensemble}", index)
