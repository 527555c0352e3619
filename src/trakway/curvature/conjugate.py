"""Solve with the Gauss-Newton matrix itself, by conjugate gradients that EK-FAC preconditions."""

import torch
from torch import Tensor

from trakway.curvature.drawn import Drawn
from trakway.curvature.ekfac import Ekfac
from trakway.runtime.progress import track


def product(drawn: Drawn, rows: Tensor) -> Tensor:
    """Return the second moment of drawn gradients times rows (R, p): the gradients are computed anew, never kept."""
    total = torch.zeros_like(rows)
    for gradients in drawn.gradients():
        total += (rows @ gradients.T) @ gradients
    return total / drawn.count


def conjugate_gradients(drawn: Drawn, ekfac: Ekfac, rows: Tensor, factors: Tensor, iterations: int) -> Tensor:
    """Return x, (R, p), with (F + λ) x = rows, each row solved on its own; F is the second moment of drawn gradients.

    Args:
        drawn: the gradients.
        ekfac: fitted to them: the preconditioner, and λ as in `Ekfac.dampings`.
        rows: right-hand sides, (R, p).
        factors: of the damping, (R,).
        iterations: each goes through all drawn gradients once, for all rows together.
    """
    dampings = ekfac.dampings(factors)
    solution = torch.zeros_like(rows)
    residual = rows.clone()
    direction = changed = ekfac.solve(residual, factors)
    before = _dot(residual, changed)
    for _ in track(range(iterations), "iterations of conjugate gradients"):
        curved = product(drawn, direction) + dampings * direction
        step = _share(before, _dot(direction, curved))
        solution += step * direction
        residual -= step * curved
        changed = ekfac.solve(residual, factors)
        after = _dot(residual, changed)
        direction = changed + _share(after, before) * direction
        before = after
    return solution


def _dot(left: Tensor, right: Tensor) -> Tensor:
    return (left * right).sum(1, keepdim=True, dtype=torch.float64)


def _share(upper: Tensor, lower: Tensor) -> Tensor:
    """Return upper / lower, 0 where a row is solved already."""
    return torch.where(lower > 0, upper / lower, 0).float()
