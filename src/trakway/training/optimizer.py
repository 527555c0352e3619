"""The optimiser of a training run, by name."""

from collections.abc import Iterable

import torch
from torch import nn


def build_optimizer(parameters: Iterable[nn.Parameter], training: dict) -> torch.optim.Optimizer:
    """Return SGD with Nesterov momentum, or AdamW (Loshchilov & Hutter, ICLR 2019) with betas (momentum, 0.999).

    Args:
        parameters: what to train.
        training: the ``training`` section of an experiment.
    """
    # fused: one kernel for all parameters instead of several for each.
    common = {"lr": training["learning_rate"], "weight_decay": training["weight_decay"], "fused": True}
    momentum = training["momentum"]
    if training["optimizer"] == "adamw":
        return torch.optim.AdamW(parameters, betas=(momentum, 0.999), **common)
    return torch.optim.SGD(parameters, momentum=momentum, nesterov=momentum > 0, **common)
