"""The interface of a projection."""

from abc import ABC, abstractmethod

from torch import Tensor

from trakway.errors import UserError


class Projection(ABC):
    """A random linear map from p gradient coordinates to k features, with E[P Pᵀ] = I.

    Attributes:
        parameters: p, the number of gradient coordinates.
        dim: k, the number of features.
    """

    def __init__(self, parameters: int, dim: int):
        if parameters < 1 or dim < 1:
            raise UserError(f"projection.dim: found {dim} for {parameters} parameters, allowed: 1 or more of each")
        self.parameters = parameters
        self.dim = dim

    @abstractmethod
    def __call__(self, gradients: Tensor) -> Tensor:
        """Project float32 gradients (B, p) to float32 features (B, k), on the gradients' device."""
