"""Exponential moving average of the weights, with the warm-up of diffusers' ``EMAModel``."""

import copy

import torch
from torch import nn


class AveragedModel(nn.Module):
    """A copy, ``module``, of a model in training that follows it.

    Before update s (from 0) the average counts min(decay, (1 + s) / (10 + s)), at s = 0 nothing: an average that grows
    with the run forgets the initial weights. Buffers are the model's own, as they are. (PyTorch's class of this name
    looks every parameter up again at each update, which takes a tenth of a small model's step.)
    """

    def __init__(self, model: nn.Module, decay: float):
        """Copy ``model``, which is what is trained; ``decay`` is in (0, 1)."""
        super().__init__()
        self.decay = decay
        self.module = copy.deepcopy(model).requires_grad_(False)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self._means, self._weights = list(self.module.parameters()), list(model.parameters())
        self._others = list(zip(self.module.buffers(), model.buffers(), strict=True))

    @property
    def share(self) -> float:
        """What the next update takes of the model's weights; the average keeps the rest of itself."""
        return max(1 - self.decay, 9 / (10 + int(self.updates))) if self.updates else 1.0

    @torch.no_grad()
    def update(self) -> None:
        """Take the model's weights as they are now into the average."""
        share = self.share
        torch._foreach_lerp_(self._means, self._weights, share)
        for buffer, value in self._others:
            buffer.copy_(value)
        self.updates += 1
