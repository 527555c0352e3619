"""A user's model and output tried on two examples, before anything is trained."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from trakway.errors import UserError
from trakway.notebook import margins
from trakway.notebook.examples import Examples
from trakway.notebook.session import undisturbed

if TYPE_CHECKING:
    from trakway.notebook.task import TensorTask


def check(task: "TensorTask") -> None:
    """Check that model, examples, output and loss fit each other.

    Raises:
        UserError: says what does not fit.
    """
    train, targets = task.examples["train"], task.examples["targets"]
    if train.names != targets.names or [t.shape[1:] for t in train.tensors] != [t.shape[1:] for t in targets.tensors]:
        raise UserError(
            f"targets: found {_described(targets)} an example, but train has {_described(train)}; give both the same"
            " parts of the same shapes"
        )
    with undisturbed():
        model = task.new_model(0).eval()
        if not task.attributed(model):
            raise UserError("model: found no parameter with requires_grad; at least one must be trained")
        if task.labels is not None:
            logits, _ = _called(lambda: margins.logits_and_labels(model, task.given(_two(task))), train)
            for what, labels in task.labels.items():
                margins.check_labels(labels, logits, what)
        _check_outputs(task, model)


def _check_outputs(task: "TensorTask", model: nn.Module) -> None:
    train = task.examples["train"]
    both = _called(lambda: task.output(model, _two(task)), train)
    alone = _called(lambda: task.output(model, tuple(part[:1] for part in _two(task))), train)
    if not torch.allclose(both[:1], alone, rtol=1e-2, atol=1e-3, equal_nan=True):
        raise UserError(
            f"output: of the first training example it is {float(alone[0]):g} alone and {float(both[0]):g} beside"
            " another; an example's output must not depend on the others: mix nothing over the batch"
        )
    if not torch.isfinite(both).all():
        raise UserError(
            f"output: of the first two training examples it is {both.tolist()}; allowed: finite numbers, of an"
            " untrained model too; look at the examples for NaN"
        )
    loss = _called(lambda: task.loss(model, _two(task)), train)
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        found = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
        raise UserError(f"loss: found {found}, allowed: a scalar tensor, the mean over the batch")


@torch.no_grad()
def _called(function, examples: Examples):
    """Return what ``function`` returns; tell what it was given where that is what the model cannot take."""
    try:
        return function()
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise UserError(
            f"model: it cannot be called with a batch of train, {_described(examples)} an example; the model says:"
            f" {error}"
        ) from error


def _two(task: "TensorTask") -> tuple[Tensor, ...]:
    return task.train_batch(np.arange(min(2, task.train_size)))


def _described(examples: Examples) -> str:
    names = examples.names or [""] * len(examples.tensors)
    parts = zip(names, examples.tensors, strict=True)
    return ", ".join(f"{name} {tuple(t.shape[1:])} {t.dtype}".strip().replace("torch.", "") for name, t in parts)
