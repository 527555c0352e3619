"""The factored projection: both sides of a weight's gradient are projected apart, and the gradient is never formed.

The gradient G of a weight of a linear layer or convolution is a sum of products of output gradients with inputs, so
that Bᵀ G A is the sum of the products of what B and A leave of them (LoGra; Choe et al., 2024, section 3.1, where each
layer keeps features of its own; here layers are added up). The passes through a model are in `trakway.gradients`.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trakway.errors import UserError
from trakway.projection.base import Projection
from trakway.projection.rademacher import Rademacher
from trakway.projection.sjlt import SJLT


def side_sizes(dim: int) -> tuple[int, int]:
    """Return the factors (k_out, k_in) of k that are nearest to each other, k_out ≤ k_in."""
    small = next(size for size in range(math.isqrt(dim), 0, -1) if dim % size == 0)
    return small, dim // small


class Factored(Projection):
    """Kronecker products of random signs for matrices, the sparse kind for all other parameters.

    Attributes:
        shapes: of the attributed parameters in the order of the coordinates: (out, in) for a weight that is projected
            from both sides, (size,) for each of the others.
        side_sizes: (k_out, k_in).
        others: the projection of the others' coordinates, in their order; None where there are none.
    """

    by_layer = True

    def __init__(self, shapes: Sequence[tuple[int, ...]], dim: int, keys: Sequence[int], precision: str = "float32"):
        super().__init__(sum(map(math.prod, shapes)), dim, precision)
        if precision != "float32":
            raise UserError(
                f"projection.precision: found {precision} with kind factored, which never forms the gradients that "
                "would be rounded, allowed: float32"
            )
        self.shapes = list(shapes)
        self.keys = keys
        self.side_sizes = side_sizes(dim)
        others = sum(shape[0] for shape in self.shapes if len(shape) == 1)
        self.others = SJLT(others, dim, keys[2]) if others else None
        self._made: dict[tuple, list] = {}

    def sides(self, like: Tensor) -> list[tuple[Tensor, Tensor] | None]:
        """Return signs B (out, k_out) and A (in, k_in) of every matrix, None for the other parameters.

        They are made once, on the CPU, and kept on the device and in the type of ``like``.
        """
        made = self._made.get((like.device, like.dtype))
        if made is None:
            self._made[like.device, like.dtype] = made = self._make(like)
        return made

    def _make(self, like: Tensor) -> list[tuple[Tensor, Tensor] | None]:
        sizes = list(zip(*(shape for shape in self.shapes if len(shape) == 2), strict=True))  # outs, ins
        stacks = []
        for rows, columns, key in zip(sizes, self.side_sizes, self.keys, strict=False):
            signs = Rademacher(sum(rows), columns, key).signs(0, sum(rows))
            stacks.append(torch.from_numpy(signs).to(like).split(rows))
        pairs = zip(*stacks, strict=True)
        return [next(pairs) if len(shape) == 2 else None for shape in self.shapes]

    def combine(self, products: Tensor, others: Tensor) -> Tensor:
        """Return float32 features (B, k).

        Args:
            products: Σ Bᵀ G A over the matrices, (B, k_out, k_in).
            others: gradients of the other parameters, side by side.
        """
        features = products.flatten(1).float() / math.sqrt(self.dim)
        return features if self.others is None else features + self.others(others)

    def __call__(self, gradients: Tensor) -> Tensor:
        """Project gradients (B, p) that there are: the same features as from the two sides, if rounded elsewhere."""
        gradients = self.rounded(gradients)
        products = gradients.new_zeros(len(gradients), *self.side_sizes)
        others = [gradients[:, :0]]
        parts = gradients.split([math.prod(shape) for shape in self.shapes], dim=1)
        for part, shape, sides in zip(parts, self.shapes, self.sides(gradients), strict=True):
            if sides is None:
                others.append(part)
            else:
                outward, inward = sides
                products += outward.T @ part.unflatten(1, shape) @ inward
        return self.combine(products, torch.cat(others, dim=1))
