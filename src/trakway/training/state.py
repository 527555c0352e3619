"""How far a training run has come, as a file to go on from."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from trakway.training.averaging import AveragedModel
from trakway.training.checkpoint import load_tensors, save_tensors


@dataclass
class State:
    """Everything that the rest of a run depends on but its arguments.

    Attributes:
        model: in training.
        optimizer: of the model's parameters.
        averaged: the moving average of the model's weights, if there is one.
        curve: a row for each finished epoch: ``epoch`` (from 1), ``loss``, ``learning_rate``.
        kept: weights of the checkpoints reached so far.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    averaged: AveragedModel | None = None
    curve: list[dict] = field(default_factory=list)
    kept: list[dict[str, Tensor]] = field(default_factory=list)

    def keep(self) -> None:
        """Keep the weights as they are now for a checkpoint: the averaged ones if there are any."""
        model = self.model if self.averaged is None else self.averaged.module
        self.kept.append({name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()})

    def save(self, path: str | os.PathLike) -> None:
        """Write all of it to a safetensors file."""
        rows = [[row["epoch"], row["loss"], row["learning_rate"]] for row in self.curve]
        tensors = {"curve": torch.tensor(rows, dtype=torch.float64)}
        for name, parameter in self.model.named_parameters():
            state = self.optimizer.state[parameter]
            tensors |= {f"optimizer.{key}.{name}": value for key, value in state.items() if value is not None}
        tensors |= {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        if self.averaged is not None:
            tensors |= {f"averaged.{name}": tensor for name, tensor in self.averaged.state_dict().items()}
        for index, weights in enumerate(self.kept):
            tensors |= {f"kept.{index}.{name}": tensor for name, tensor in weights.items()}
        save_tensors(path, tensors)

    def restore(self, path: Path) -> None:
        """Go back to where `save` was called, by a run of the same arguments.

        Raises:
            UserError: the file is damaged.
        """
        parts: dict[str, dict[str, Tensor]] = {}
        for name, tensor in load_tensors(path).items():
            part, _, rest = name.partition(".")
            parts.setdefault(part, {})[rest] = tensor
        names = ("epoch", "loss", "learning_rate")
        self.curve = [
            dict(zip(names, row, strict=True)) | {"epoch": int(row[0])} for row in parts["curve"][""].tolist()
        ]
        self.model.load_state_dict(parts["model"])
        if self.averaged is not None:
            self.averaged.load_state_dict(parts["averaged"])
        parameters = dict(self.model.named_parameters())
        for name, tensor in parts.get("optimizer", {}).items():
            key, _, name = name.partition(".")
            parameter = parameters[name]
            # In the parameter's memory layout, so that the optimiser's arithmetic is the same.
            like = parameter if tensor.shape == parameter.shape else tensor
            value = torch.empty_like(like, dtype=tensor.dtype, device=parameter.device).copy_(tensor)
            self.optimizer.state[parameter][key] = value
        kept: dict[int, dict] = {}
        for name, tensor in parts.get("kept", {}).items():
            index, _, name = name.partition(".")
            kept.setdefault(int(index), {})[name] = tensor
        self.kept = [kept[index] for index in sorted(kept)]
