"""The trained parameters of a model as one vector."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call


class Flat:
    """Views of a model through the vector of its trained parameters, in the order of ``named_parameters``.

    Attributes:
        size: p, coordinates of the vector.
    """

    def __init__(self, model: nn.Module):
        self.model = model
        self.names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
        self.parameters = [model.get_parameter(name) for name in self.names]
        self.sizes = [parameter.numel() for parameter in self.parameters]
        self.size = sum(self.sizes)

    def read(self) -> Tensor:
        """Return the weights as they are, (p,)."""
        return join([parameter.detach() for parameter in self.parameters])

    def gradient(self) -> Tensor:
        """Return the parameters' ``grad`` as they are, (p,), zeros where there is none."""
        return join([p.new_zeros(p.shape) if p.grad is None else p.grad for p in self.parameters])

    def called(self, vector: Tensor) -> Callable[..., Tensor]:
        """Return the model as a function, with the weights of a vector (p,)."""
        parts = vector.split(self.sizes)
        weights = {
            name: part.view(parameter.shape)
            for name, part, parameter in zip(self.names, parts, self.parameters, strict=True)
        }
        return lambda *inputs, **options: functional_call(self.model, weights, inputs, options)


def join(tensors: list[Tensor]) -> Tensor:
    """Return tensors, in whatever memory layout, one after the other, (p,)."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])
