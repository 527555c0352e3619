"""The interface of a projection, and the sum over blocks of coordinates that its CPU kinds share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from trakway.errors import UserError
from trakway.projection.lanes import LANES

PRECISIONS = ("float32", "bfloat16")
COPIED = 25_000_000  # numbers of another type or layout that are copied at a time: 100 MB


class Projection(ABC):
    """A random linear map from p gradient coordinates to k features, with E[P Pᵀ] = I.

    Attributes:
        parameters: p, the number of gradient coordinates.
        dim: k, the number of features.
        precision: what gradients are rounded to before the product, float32 or bfloat16; sums are float32.
        by_layer: whether features are made of the layers' inputs and output gradients, without gradients (B, p).
        takes_parts: whether there is `of_parts`.
    """

    by_layer = False
    takes_parts = False

    def __init__(self, parameters: int, dim: int, precision: str = "float32"):
        if parameters < 1 or dim < 1:
            raise UserError(f"projection.dim: found {dim} for {parameters} parameters, allowed: 1 or more of each")
        if precision not in PRECISIONS:
            raise UserError(f"projection.precision: found {precision!r}, allowed: {', '.join(PRECISIONS)}")
        self.parameters = parameters
        self.dim = dim
        self.precision = precision

    @abstractmethod
    def __call__(self, gradients: Tensor) -> Tensor:
        """Project gradients (B, p) of any floating type to float32 features (B, k), on the gradients' device."""

    def of_parts(self, examples: int, parts: Iterable[tuple[int, Tensor]]) -> Tensor:
        """Project gradients that come in parts, on the CPU, and are never held as a whole.

        Args:
            examples: B.
            parts: (first coordinate, gradients (B, size)) by ascending coordinates; what is left out is 0.

        Returns:
            Float32 features (B, k), those of the whole gradients but for rounding.
        """
        raise NotImplementedError(f"{type(self).__name__} takes gradients as a whole")

    def rounded(self, gradients: Tensor) -> Tensor:
        """Return float32 gradients of the asked precision, without a copy where they already are."""
        return (gradients.bfloat16() if self.precision == "bfloat16" else gradients).float()

    def narrowed(self, gradients: Tensor) -> Tensor:
        """Return gradients as a GPU kernel takes them: of the asked precision, at most float32."""
        narrow = gradients.bfloat16() if self.precision == "bfloat16" else gradients
        return narrow.float() if narrow.dtype == torch.float64 else narrow

    def sum_blocks(
        self, gradients: Tensor, height: int, multiply: Callable[[np.ndarray, np.ndarray, int], None]
    ) -> Tensor:
        """Return the sum over blocks of ``height`` coordinates of their products: float32 (B, k), on the CPU.

        Products of blocks are added up in float64: rounding grows with a block, not with p.

        Args:
            gradients: (B, p).
            height: coordinates a block.
            multiply: ``multiply(product, block, start)`` writes the float32 product (B, k) of a block of gradients
                (B, height) with the rows of P from ``start`` on.
        """
        product = np.empty((len(gradients), self.dim), np.float32)
        total = np.zeros(product.shape) if height < self.parameters else None
        group = max(LANES, COPIED // height // LANES * LANES)
        for start in range(0, self.parameters, height):
            for rows in range(0, len(gradients), group):
                block = self.rounded(gradients[rows : rows + group, start : start + height])
                block = block if block.stride(1) == 1 else block.contiguous()
                multiply(product[rows : rows + group], block.numpy(), start)
            if total is not None:
                total += product
        return torch.from_numpy(product if total is None else total.astype(np.float32))
