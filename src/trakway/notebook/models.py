"""Models of a task: trained here, or brought along."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor, nn

from trakway.errors import UserError
from trakway.notebook.identity import tensors_digest
from trakway.notebook.session import undisturbed
from trakway.storage.fingerprint import fingerprint
from trakway.tasks import Task
from trakway.training.checkpoint import load_tensors, with_weights

ADVICE = "give files that safetensors.torch.save_file has written"


@dataclass(frozen=True, eq=False)
class Models(Sequence[nn.Module]):
    """Models of one ensemble; ``models[i]`` loads one, in eval mode.

    Attributes:
        task: whose models they are.
        files: names of each model's checkpoints in order of training, for messages.
        rates: the learning rate summed over the visits of an example before each checkpoint; ones where not known.
        load: ``load(index, checkpoint)`` returns the model at one of its checkpoints.
        digest: returns a digest of all weights.
        curves: index, epoch, loss, learning_rate; empty where they were not trained here.
        training: how they were trained, all options; empty where not known.
    """

    task: Task
    files: list[list[str]]
    rates: list[list[float]]
    load: Callable[[int, int], nn.Module]
    digest: Callable[[], str]
    curves: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    training: dict = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> nn.Module:
        return self.load(range(len(self))[index], -1)


@undisturbed()
def load(task: Task, weights: Iterable[Mapping[str, Tensor] | nn.Module | str | os.PathLike]) -> Models:
    """Take models that are trained already.

    Args:
        task: whose models they are.
        weights: of each model a state dict, a module of the same architecture, or a safetensors file. A member's place
            in the list is part of the seed of its projection.

    Raises:
        UserError: there are none, or one is of another model.
    """
    if isinstance(weights, (Mapping, nn.Module, str, os.PathLike)):
        raise UserError(f"load: found one {type(weights).__name__}, allowed: a list; write [it]")
    weights = list(weights)
    states = [_state(given, number) for number, given in enumerate(weights)]
    if not states:
        raise UserError("load: found no models, allowed: one state dict or more")
    for number, state in enumerate(states):
        with_weights(task, state, f"model {number}")
    files = [[str(given) if isinstance(given, (str, os.PathLike)) else f"model {i}"] for i, given in enumerate(weights)]

    def load_one(index: int, checkpoint: int) -> nn.Module:
        return with_weights(task, states[index], f"model {index}")

    return Models(
        task,
        files,
        [[1.0] for _ in states],
        load_one,
        lambda: fingerprint([tensors_digest(state) for state in states]),
    )


def _state(given: Any, number: int) -> Mapping[str, Tensor]:
    """Return a state dict."""
    if isinstance(given, nn.Module):
        return given.state_dict()
    if isinstance(given, (str, os.PathLike)):
        return load_tensors(Path(given).expanduser(), advice=ADVICE)
    if isinstance(given, Mapping) and all(isinstance(tensor, Tensor) for tensor in given.values()):
        return given
    raise UserError(
        f"load: model {number} is {type(given).__name__}, allowed: a state dict (model.state_dict()), a module, or the"
        " path of a safetensors file; of a training checkpoint take the part with the weights"
    )
