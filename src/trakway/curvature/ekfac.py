"""EK-FAC: the Gauss-Newton matrix in a Kronecker-factored eigenbasis, with the eigenvalues that fit it best.

George et al., NeurIPS 2018, equations 6 to 10; for influence Grosse et al., 2023, section 2.2. The gradient (out, in)
of a weight is seen in the eigenvectors of the second moments of its layer's output gradients and inputs, that of a
vector in those of its own second moment; the eigenvalues are the second moments of gradients in that basis. Where no
call of a layer tells a weight's gradient, the second moments of its rows and columns take the place (Shampoo).
"""

import torch
from torch import Tensor, nn

from trakway.curvature.drawn import Drawn
from trakway.gradients import layers
from trakway.gradients.backward import watch
from trakway.gradients.factored import two_sided
from trakway.gradients.preconditioning import LARGEST

ROUNDING = 1e-10
"""Times the largest mean eigenvalue: one of a parameter below it is that of rounding errors, as of the bias of an
attention's keys, which changes nothing. Damped relative to itself it would outweigh all others."""


class Ekfac:
    """The Gauss-Newton matrix as Q Λ Qᵀ, a block a parameter.

    Attributes:
        bases: of each parameter (left (out, out), right (in, in)), eigenvectors in columns; None: the coordinates.
        values: of each parameter Λ, (out, in); 0 where its gradients are but rounding errors.
    """

    def __init__(self, drawn: Drawn):
        """Fit the matrix of a model.

        Args:
            drawn: the gradients that it is the second moment of.
        """
        model = drawn.model
        names = drawn.scored.attributed(model)
        parameters = [model.get_parameter(name) for name in names]
        self.shapes = [(len(p), p[0].numel()) if p.ndim > 1 else (p.numel(), 1) for p in parameters]
        self.sizes = [out * inner for out, inner in self.shapes]
        self.bases = [tuple(map(_eigenvectors, pair)) for pair in _moments(drawn, names, self)]
        self.values = [torch.zeros(shape, dtype=torch.float64, device=drawn.task.device) for shape in self.shapes]
        for gradients in drawn.gradients():
            for total, part in zip(self.values, self.rotated(gradients), strict=True):
                total += part.square().sum(0, dtype=torch.float64)
        means = torch.stack([total.mean() for total in self.values])
        seen = means > ROUNDING * means.max()
        self.values = [(total * one / drawn.count).float() for total, one in zip(self.values, seen, strict=True)]

    def matrices(self, rows: Tensor) -> list[Tensor]:
        """Return rows (R, p) as a matrix (R, out, in) a parameter."""
        parts = rows.split(self.sizes, dim=1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def rotated(self, rows: Tensor) -> list[Tensor]:
        """Return rows (R, p) in the eigenbasis, a matrix (R, out, in) a parameter."""
        return [_turned(part, *pair) for part, pair in zip(self.matrices(rows), self.bases, strict=True)]

    def dampings(self, factors: Tensor) -> Tensor:
        """Return λ of every coordinate, (R, p): factors (R,) times the mean eigenvalue of its parameter."""
        means = torch.cat([values.mean().expand(size) for values, size in zip(self.values, self.sizes, strict=True)])
        return factors[:, None] * means

    def solve(self, rows: Tensor, factors: Tensor) -> Tensor:
        """Return (Q Λ Qᵀ + λ)⁻¹ times rows (R, p), with λ as in `dampings`; 0 for a parameter without any gradient."""
        found = []
        for part, pair, values in zip(self.rotated(rows), self.bases, self.values, strict=True):
            shifted = values + (factors * values.mean())[:, None, None]
            turned = torch.where(shifted > 0, part / shifted, 0)
            back = (None if basis is None else basis.T for basis in pair)
            found.append(_turned(turned, *back).flatten(1))
        return torch.cat(found, dim=1)


def _turned(matrices: Tensor, left: Tensor | None, right: Tensor | None) -> Tensor:
    """Return leftᵀ M right of matrices (R, out, in)."""
    matrices = matrices if left is None else left.T @ matrices
    return matrices if right is None else matrices @ right


def _eigenvectors(moment: Tensor | None) -> Tensor | None:
    if moment is None or not moment.any():  # too long, or nothing to tell directions apart by
        return None
    return torch.linalg.eigh(moment)[1].float()


def _moments(drawn: Drawn, names: list[str], ekfac: Ekfac) -> list[tuple[Tensor | None, Tensor | None]]:
    """Return the second moments, float64, whose eigenvectors are the bases; None where a side is too long."""
    model, device = drawn.model, drawn.task.device
    told = _told(model, names)
    sums = [
        [None if side > LARGEST else torch.zeros(side, side, dtype=torch.float64, device=device) for side in shape]
        for shape in ekfac.shapes
    ]
    places = {name: place for place, name in enumerate(names)}
    for batch in drawn.batches():
        for prefix, module, inputs, slope in watch(drawn.scored, model, batch)[1] if told else ():
            name = layers.full_name(prefix, "weight")
            if name in told:
                _add(sums[places[name]], layers.sides(module, inputs, slope))
    for gradients in drawn.gradients() if len(told) < len(names) else ():
        for name, total, part in zip(names, sums, ekfac.matrices(gradients), strict=True):
            if name not in told:
                _add(total, (part.transpose(1, 2).flatten(0, 1), part.flatten(0, 1)))
    return [tuple(pair) for pair in sums]


def _told(model: nn.Module, names: list[str]) -> set[str]:
    """Return the weights whose gradients are told by inputs and output gradients of one layer."""
    unknown = set(layers.unknown(model, names))
    weights = {name for name in names if name.rpartition(".")[2] == "weight"} - unknown
    return {name for name in weights if two_sided(model.get_submodule(name.rpartition(".")[0]))}


def _add(sums: list[Tensor | None], rows: tuple[Tensor, Tensor]) -> None:
    for total, vectors in zip(sums, rows, strict=True):
        if total is not None:
            vectors = vectors.double()
            total += vectors.T @ vectors
