"""Kronecker-factored preconditioning: gradients in whose coordinates the training loss curves alike in all directions.

The gradient G (out, in) of a weight becomes √tr(L) · L^(-1/2) G R^(-1/2), L = E[G Gᵀ] and R = E[Gᵀ G] over training
examples: L ⊗ R / tr(L) stands for the second moment of G (Shampoo; Gupta, Koren, Singer, ICML 2018), as the factors of
K-FAC stand for the curvature of the loss in influence functions (Grosse et al., 2023; for diffusion models Mlodozeniec
et al., ICLR 2025). The dot product of two preconditioned gradients is an influence with the inverse in the middle.
Every parameter is a matrix here, a vector one of a single column.
"""

import math
import os
from collections.abc import Sequence

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trakway import seeds
from trakway.errors import UserError
from trakway.gradients.per_example import per_example_gradients
from trakway.storage.files import replacing
from trakway.storage.resumable import row_blocks
from trakway.tasks import Task

LARGEST = 8192  # rows or columns of a parameter; of more only the diagonal of the factor is kept


class Preconditioner:
    """Changes gradients (B, p) to preconditioned ones.

    Attributes:
        sides: of each attributed parameter (left, right): symmetric (out, out) and (in, in), or (out,), (in,) where
            only a diagonal is kept. float32.
    """

    def __init__(self, sides: Sequence[tuple[Tensor, Tensor]]):
        self.sides = list(sides)

    @classmethod
    def load(cls, path: str | os.PathLike, device: str = "cpu") -> "Preconditioner":
        """Read what `save` wrote."""
        tensors = load_file(path, device=str(device))
        return cls([(tensors[f"{i}.left"], tensors[f"{i}.right"]) for i in range(len(tensors) // 2)])

    def save(self, path: str | os.PathLike) -> None:
        """Write the sides as safetensors, named by the parameter's place."""
        names = [f"{i}.{side}" for i in range(len(self.sides)) for side in ("left", "right")]
        tensors = [tensor.contiguous() for pair in self.sides for tensor in pair]
        with replacing(path) as temporary:
            save_file(dict(zip(names, tensors, strict=True)), temporary)

    def __call__(self, gradients: Tensor) -> Tensor:
        """Precondition float32 gradients (B, p) in place, and return them."""
        sizes = [len(left) * len(right) for left, right in self.sides]
        for part, (left, right) in zip(gradients.split(sizes, dim=1), self.sides, strict=True):
            matrices = part.unflatten(1, (len(left), len(right)))
            matrices = left @ matrices if left.ndim == 2 else left[:, None] * matrices
            matrices = matrices @ right if right.ndim == 2 else matrices * right
            part.copy_(matrices.flatten(1))
        return gradients


def build_preconditioner(projection: dict, task: Task, model: nn.Module, chunk: int) -> Preconditioner | None:
    """Return the preconditioner that a projection asks for, None where it asks for none.

    Args:
        projection: the ``projection`` section: ``preconditioner``, and unless it is ``none`` or absent
            ``preconditioner_examples`` (drawn by the experiment's seed, the same for all members) and ``damping``.
        task: gives the f that models were trained on, and the examples.
        model: in eval mode.
        chunk: examples at a time.

    Raises:
        UserError: see `precondition`.
    """
    if projection.get("preconditioner", "none") == "none":
        return None
    order = seeds.generator(task.seed, "preconditioner").permutation(task.train_size)
    rows = np.sort(order[: projection["preconditioner_examples"]])
    return precondition(task, model, rows, projection["damping"], chunk)


def precondition(task: Task, model: nn.Module, rows: np.ndarray, damping: float, chunk: int) -> Preconditioner:
    """Return the preconditioner of a model.

    Args:
        task: gives f and the examples.
        model: in eval mode.
        rows: positions of the training examples over which second moments are averaged.
        damping: added to the eigenvalues of every factor, in units of their mean; > 0.
        chunk: examples at a time; bounds the memory (chunk × p floats), changes nothing beyond rounding.

    Raises:
        UserError: a gradient holds NaN or infinity (names the example).
    """
    parameters = [model.get_parameter(name) for name in task.attributed(model)]
    moments = [_Moments(len(p) if p.ndim else 1, math.prod(p.shape[1:]), p.device) for p in parameters]
    for block in row_blocks(len(rows), chunk):
        _, gradients = per_example_gradients(task, model, task.train_batch(rows[block]))
        bad = torch.nonzero(~torch.isfinite(gradients).all(1))
        if len(bad):
            raise UserError(
                f"projection.preconditioner: the gradient of training example {rows[block][int(bad[0, 0])]} is not "
                "finite; look at that example and at the model's training curve"
            )
        parts = gradients.split([parameter.numel() for parameter in parameters], dim=1)
        for part, moment in zip(parts, moments, strict=True):
            moment.add(part)
    return Preconditioner([moment.sides(damping) for moment in moments])


class _Moments:
    """Sums of G Gᵀ and Gᵀ G of one parameter, float64; of a side longer than `LARGEST` their diagonal."""

    def __init__(self, rows: int, columns: int, device: torch.device):
        self.shape = (rows, columns)
        self.examples = 0
        self.sums = [
            torch.zeros((side, side) if side <= LARGEST else side, dtype=torch.float64, device=device)
            for side in self.shape
        ]

    def add(self, gradients: Tensor) -> None:
        self.examples += len(gradients)
        matrices = gradients.unflatten(1, self.shape)
        for total, stacked in zip(self.sums, (matrices.transpose(0, 1), matrices.permute(2, 0, 1)), strict=True):
            stacked = stacked.flatten(1).double()  # (side, examples × other side)
            total += stacked @ stacked.T if total.ndim == 2 else stacked.square().sum(1)

    def sides(self, damping: float) -> tuple[Tensor, Tensor]:
        """Return L^(-1/2) and √tr(L) R^(-1/2), damped; zeros where all gradients are zero."""
        left, right = self.sums
        trace = float(left.trace() if left.ndim == 2 else left.sum())
        if trace == 0:
            return tuple(torch.zeros_like(total, dtype=torch.float32) for total in self.sums)
        return _inverse_root(left / self.examples, damping), _inverse_root(right / trace, damping)


def _inverse_root(factor: Tensor, damping: float) -> Tensor:
    """Return (factor + damping · mean eigenvalue)^(-1/2), float32."""
    if factor.ndim == 1:
        return (factor + damping * factor.mean()).rsqrt().float()
    values, vectors = torch.linalg.eigh(factor)
    roots = (values.clamp(min=0) + damping * values.mean()).rsqrt()
    return (vectors * roots @ vectors.T).float()
