"""The output of a classifier: the margin of the right class (TRAK, section 3.3), of any model with logits."""

from collections.abc import Collection, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from trakway.errors import UserError
from trakway.notebook.examples import Examples
from trakway.tasks import Model
from trakway.tasks.margin import margin

LABELS = ("labels", "label")
"""What the labels are called where examples are mappings; of tuples they are the last part."""

Given = tuple[Tensor, ...] | dict[str, Tensor]
"""A batch as the user's examples are: a tuple, or a mapping."""


def output(model: Model, batch: Given) -> Tensor:
    """Return log(p_y / (1 - p_y)), shape (B,)."""
    return margin(*logits_and_labels(model, batch))


def loss(model: Model, batch: Given) -> Tensor:
    """Return the cross-entropy, mean over the batch."""
    logits, labels = logits_and_labels(model, batch)
    return F.cross_entropy(logits.float(), labels)


def slope(outputs: Tensor) -> Tensor:
    """Return -dLoss/df of Loss = log(1 + exp(-f)): 1 - p_y."""
    return torch.sigmoid(-outputs)


def logits_and_labels(model: Model, batch: Given) -> tuple[Tensor, Tensor]:
    """Call the model with all but the labels; what it returns may hold the logits as ``.logits``."""
    if isinstance(batch, Mapping):
        inputs = dict(batch)
        labels = inputs.pop(_name_of_labels(inputs))
        logits = model(**inputs)
    else:
        *inputs, labels = batch
        logits = model(*inputs)
    return getattr(logits, "logits", logits), labels


def labelled(examples: Examples, what: str) -> Examples:
    """Return the examples with labels as whole numbers, int64.

    Raises:
        UserError: there are none, or they are no vector of whole numbers from 0 on.
    """
    if examples.names and not set(LABELS) & set(examples.names):
        raise UserError(f"{what}: found {', '.join(examples.names)}, but output 'margin' needs labels under 'labels'")
    if not examples.names and len(examples.tensors) < 2:
        raise UserError(f"{what}: found inputs alone, but output 'margin' needs (inputs, labels); or give output=...")
    place = place_of_labels(examples)
    labels = examples.tensors[place]
    if labels.ndim != 1 or labels.is_floating_point() or labels.is_complex() or int(labels.min()) < 0:
        raise UserError(
            f"{what}: found labels of shape {tuple(labels.shape)} and type {labels.dtype}, lowest {labels.min():g};"
            " allowed: one whole number from 0 on an example, such as y.long()"
        )
    tensors = list(examples.tensors)
    tensors[place] = labels.long()
    return Examples(tuple(tensors), examples.names)


def place_of_labels(examples: Examples) -> int:
    """Return which of the tensors holds the labels."""
    if examples.names is None:
        return len(examples.tensors) - 1
    return examples.names.index(_name_of_labels(examples.names))


def _name_of_labels(names: Collection[str]) -> str:
    return next(name for name in LABELS if name in names)


def check_labels(labels: Tensor, logits: Tensor, what: str) -> None:
    """Compare labels (n,) with the logits (B, classes) of some examples.

    Raises:
        UserError: the logits are of no classes, or a label is beyond them.
    """
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise UserError(
            f"model: found an output of shape {tuple(logits.shape)} for a batch; output 'margin' needs logits of shape"
            " (B, classes), at least two classes; or give output=..."
        )
    if int(labels.max()) >= logits.shape[1]:
        raise UserError(
            f"{what}: found label {int(labels.max())} (example {int(labels.argmax())}), but the model has logits of"
            f" {logits.shape[1]} classes: allowed are 0 to {logits.shape[1] - 1}"
        )
