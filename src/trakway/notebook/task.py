"""A task made of what a notebook holds: a model, tensors, an output."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trakway.errors import UserError
from trakway.notebook import margins
from trakway.notebook.examples import Examples, read_examples
from trakway.notebook.margins import Given
from trakway.notebook.session import choose_device, undisturbed
from trakway.notebook.trial import check
from trakway.tasks import Batch, Model, Task

ON_DEVICE_BYTES = 4 << 30  # examples below this size are moved to the device once


def task(
    model: Callable[[], nn.Module] | nn.Module,
    train: Any,
    targets: Any,
    output: str | Callable[[Model, Given], Tensor] = "margin",
    loss: Callable[[Model, Given], Tensor] | None = None,
    slope: Callable[[Tensor], Tensor] | None = None,
    *,
    seed: int = 0,
    device: str = "auto",
) -> Task:
    """Say what is attributed to what: a model, its training examples, the examples that are explained.

    Args:
        model: builds an untrained model, called without arguments (a class, a function); or a module at whose weights
            every training starts. Parameters that need no gradient are neither trained nor attributed.
        train: training examples: a tuple ``(inputs..., labels)`` of tensors or arrays, a mapping of them, or a data set
            with ``len`` and ``[i]`` whose items are such tuples or mappings; read into memory once.
        targets: the examples to explain, of the same parts.
        output: f, larger is better: ``"margin"`` of the right class, where the model returns logits (or something with
            ``.logits``), called with all parts but the labels; or ``output(model, batch)``, which returns shape (B,)
            and may not mix examples; the batch is a tuple, or a mapping if the examples are.
        loss: what training minimises, ``loss(model, batch)``, a scalar, the mean over the batch. By default
            cross-entropy for the margin, otherwise minus the mean output.
        slope: -dLoss/df at outputs (B,): TRAK's weights Q. By default that of cross-entropy for the margin, else 1.
        seed: everything random is derived from it.
        device: ``"auto"`` (a GPU where there is one), ``"cpu"`` or ``"cuda"``.

    Returns:
        What all other functions take first. A subclass of `trakway.tasks.Task` serves as well.

    Raises:
        UserError: the parts do not fit each other or the model, labels are out of range, the output has a wrong shape.
    """
    if not callable(model):
        raise UserError(f"model: found {type(model).__name__}, allowed: a function that builds a module, or a module")
    if output != "margin" and not callable(output):
        raise UserError(f"output: found {output!r}, allowed: 'margin', or a function output(model, batch) -> (B,)")
    device = choose_device(device)
    parts = {"train": read_examples(train, "train"), "targets": read_examples(targets, "targets")}
    if output == "margin":
        parts = {what: margins.labelled(examples, what) for what, examples in parts.items()}
        output, loss, slope = margins.output, loss or margins.loss, slope or margins.slope
    made = TensorTask(model, parts["train"], parts["targets"], output, loss, slope, seed, device)
    check(made)
    return made


class TensorTask(Task):
    """A task of tensors in memory; a batch holds one row of each tensor an example.

    Attributes:
        examples: by ``"train"`` and ``"targets"``. Tensors keep their memory layout.
    """

    def __init__(
        self,
        model: Callable[[], nn.Module] | nn.Module,
        train: Examples,
        targets: Examples,
        output: Callable[[Model, Given], Tensor],
        loss: Callable[[Model, Given], Tensor] | None,
        slope: Callable[[Tensor], Tensor] | None,
        seed: int,
        device: str,
    ):
        self.seed = seed
        self.device = device
        self.train_size, self.test_size = len(train), len(targets)
        self._model, self._output, self._loss, self._slope = model, output, loss, slope
        with undisturbed():
            numbers = [p.dtype for p in self.architecture().parameters() if p.is_floating_point()]
        given = {"train": train, "targets": targets}
        size = sum(tensor.nbytes for examples in given.values() for tensor in examples.tensors)
        home = device if size <= ON_DEVICE_BYTES else "cpu"
        self.examples = {
            what: examples.to(home, numbers[0] if numbers else torch.float32) for what, examples in given.items()
        }

    def architecture(self) -> nn.Module:
        model = copy.deepcopy(self._model) if isinstance(self._model, nn.Module) else self._model()
        if not isinstance(model, nn.Module):
            raise UserError(f"model: the function returned {type(model).__name__}, allowed: a torch.nn.Module")
        return model

    def train_batch(self, rows: np.ndarray) -> Batch:
        return self.examples["train"].batch(rows, self.device)

    def target_batch(self, entries: np.ndarray) -> Batch:
        return self.examples["targets"].batch(entries, self.device)

    def training_batch(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        # What a model draws in training, such as dropout, comes from torch's generator: a stream a step.
        torch.manual_seed(int(rng.integers(2**63)))
        return self.train_batch(rows)

    def output(self, model: Model, batch: Batch) -> Tensor:
        outputs = self._output(model, self.given(batch))
        if not isinstance(outputs, Tensor) or outputs.shape != batch[0].shape[:1]:
            found = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
            raise UserError(
                f"output: found {found} for a batch of {len(batch[0])} examples, allowed: a tensor of shape"
                f" ({len(batch[0])},), one number an example, such as values.mean(1)"
            )
        return outputs

    def loss(self, model: Model, batch: Batch) -> Tensor:
        return -self.output(model, batch).mean() if self._loss is None else self._loss(model, self.given(batch))

    def loss_slope(self, outputs: Tensor) -> Tensor:
        return torch.ones_like(outputs) if self._slope is None else self._slope(outputs)

    def given(self, batch: Batch) -> Given:
        """Return a batch in the form that the user's examples have."""
        names = self.examples["train"].names
        return batch if names is None else dict(zip(names, batch, strict=True))

    @property
    def labels(self) -> dict[str, Tensor] | None:
        """Labels by ``"train"`` and ``"targets"``; None where the output is no margin."""
        if self._output is not margins.output:
            return None
        return {what: part.tensors[margins.place_of_labels(part)].cpu() for what, part in self.examples.items()}
