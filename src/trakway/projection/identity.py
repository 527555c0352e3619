"""No projection: the features are the gradients."""

from torch import Tensor

from trakway.projection.base import Projection


class Identity(Projection):
    """k = p, P = I."""

    def __init__(self, parameters: int, precision: str = "float32"):
        super().__init__(parameters, parameters, precision)

    def __call__(self, gradients: Tensor) -> Tensor:
        return self.rounded(gradients)
