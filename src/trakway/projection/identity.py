"""No projection: the features are the gradients."""

from torch import Tensor

from trakway.projection.base import Projection


class Identity(Projection):
    """k = p, P = I."""

    def __init__(self, parameters: int):
        super().__init__(parameters, parameters)

    def __call__(self, gradients: Tensor) -> Tensor:
        return gradients
