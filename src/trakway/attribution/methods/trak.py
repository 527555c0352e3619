"""TRAK (Park, Georgiev, Ilyas, Leclerc, Madry; ICML 2023, equations 15 to 17).

Streams over training examples and targets: the memory does not grow with n or the number of targets.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from trakway.attribution.material import Material
from trakway.attribution.values import Features
from trakway.errors import UserError
from trakway.plan.methods import Method
from trakway.storage.resumable import row_blocks

METHOD = Method(reads=("features",), label="TRAK", color="#D55E00", marker="o")

TARGET_NUMBERS = 1 << 28  # most float64 numbers of preconditioned target features at a time: 2 GB
BLOCK_NUMBERS = 1 << 25  # most float64 numbers of training features at a time: 256 MB
CACHE_NUMBERS = 1 << 28  # most float64 numbers of kernels kept for the next ridge


def score(
    material: Material,
    out: np.ndarray,
    *,
    ridge: float = 0.0,
    soft_threshold: float = 0.0,
    weights: bool = True,
    average: str = "paper",
) -> None:
    """Fill ``out`` with TRAK scores, see `estimate`; of a diffusion target those of its image, at every timestep."""
    wholes, place = material.of_wholes()
    if place is None:
        estimate(material, out, ridge=ridge, soft_threshold=soft_threshold, weights=weights, average=average)
        return
    scores = np.empty((wholes.targets, material.size), np.float32)
    estimate(wholes, scores, ridge=ridge, soft_threshold=soft_threshold, weights=weights, average=average)
    out[:] = scores[place]


def estimate(
    material: Material,
    out: np.ndarray,
    *,
    ridge: float = 0.0,
    soft_threshold: float = 0.0,
    weights: bool = True,
    average: str = "paper",
) -> None:
    """Fill ``out`` with the TRAK estimator's scores of every target's own output.

    ``τ(z) = softthreshold( mean_m Q_m · mean_m φ_m(z)ᵀ (Φ_mᵀΦ_m + ridge·mean(diag(Φ_mᵀΦ_m))·I)⁻¹ Φ_mᵀ )``

    Args:
        material: ``features`` of the members.
        out: (targets, n).
        ridge: relative to the mean of the kernel's diagonal; 0 is the paper's form.
        soft_threshold: scores are shrunk towards zero by this many standard deviations of their target's scores.
        weights: False leaves Q out.
        average: ``paper`` averages Q and the rest apart, ``joint`` averages their products.

    Raises:
        UserError: no members, or a kernel that cannot be inverted at this ridge.
    """
    members = material.features
    if not members:
        raise UserError("members.count: found 0 members with features, allowed: 1 or more")
    mean_weights = np.mean([entry.weights for entry in members], axis=0, dtype=np.float64)
    size = len(members) * members[0].train.shape[1]
    for chunk in row_blocks(material.targets, max(1, TARGET_NUMBERS // size)):
        left = [_precondition(material, m, chunk, ridge) / len(members) for m in range(len(members))]
        for block in _rows(material, members[0]):
            total = np.zeros((len(left[0]), block.stop - block.start))
            for entry, rows in zip(members, left, strict=True):
                dual = entry.train.shape[1] > material.size
                part = rows[:, block] if dual else rows @ _float64(entry.train[block], material.device).T
                product = part.cpu().numpy()
                total += product * entry.weights[block] if weights and average == "joint" else product
            out[chunk, block] = total * mean_weights[block] if weights and average == "paper" else total
    if soft_threshold > 0:
        for row in out:
            row[:] = np.sign(row) * np.maximum(np.abs(row) - soft_threshold * row.std(dtype=np.float64), 0)


def _precondition(material: Material, member: int, chunk: slice, ridge: float) -> Tensor:
    """Return φ(z)ᵀ(ΦᵀΦ + ridge·mean(diag)·I)⁻¹ for a chunk of targets, float64 (targets, k).

    With more features than examples (k > n) return the scores themselves, (targets, n): the same by the push-through
    identity, φ(z)ᵀΦᵀ(ΦΦᵀ + …·I)⁻¹, where the matrix is n×n.
    """
    features = material.features[member]
    rows, dim = features.train.shape
    targets = _float64(features.targets[chunk], material.device)
    if dim <= rows:
        kernel = _kernel(material, member)
        return torch.cholesky_solve(targets.T, _factor(kernel, ridge * kernel.trace() / dim, ridge, member, features)).T
    gram = _gram(material, member)
    shift = ridge * gram.trace() / dim
    factor = _factor(gram, shift, ridge, member, features, singular=ridge == 0)
    products = torch.cat([targets @ phi.T for phi in _blocks(material, features)], dim=1)
    return torch.cholesky_solve(products.T, factor).T


def _factor(
    matrix: Tensor, shift: Tensor, ridge: float, member: int, features: Features, singular: bool = False
) -> Tensor:
    """Return the Cholesky factor of ``matrix + shift·I``."""
    factor, failed = torch.linalg.cholesky_ex(
        matrix + shift * torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    )
    # A pivot at the level of rounding is a zero that rounding hid.
    if singular or failed or factor.diagonal().min() ** 2 < 1e-13 * matrix.diagonal().mean():
        rows, dim = features.train.shape
        raise UserError(
            f"scores.ridge: found {ridge:g}, but the {dim}×{dim} kernel of member {member} from {rows} examples is "
            "singular without more; allowed: a ridge above 0 (0.1 is usual), or a projection.dim below their rank"
        )
    return factor


def _kernel(material: Material, member: int) -> Tensor:
    """Return ΦᵀΦ (k×k) of a member, summed over blocks of training examples."""

    def compute() -> Tensor:
        features = material.features[member]
        dim = features.train.shape[1]
        kernel = torch.zeros(dim, dim, dtype=torch.float64, device=material.device)
        for phi in _blocks(material, features):
            kernel.addmm_(phi.T, phi)
        return kernel

    return _kept(material, ("kernel", member), compute)


def _gram(material: Material, member: int) -> Tensor:
    """Return ΦΦᵀ (n×n) of a member."""

    def compute() -> Tensor:
        features = material.features[member]
        return torch.cat(
            [torch.cat([a @ b.T for b in _blocks(material, features)], dim=1) for a in _blocks(material, features)]
        )

    return _kept(material, ("gram", member), compute)


def _kept(material: Material, key: tuple, compute: Callable[[], Tensor]) -> Tensor:
    """Compute a member's matrix, or take the one kept for the ridge before; kept only where all members' fit."""
    if key in material.cache:
        return material.cache[key]
    matrix = compute()
    if len(material.features) * matrix.numel() <= CACHE_NUMBERS:
        material.cache[key] = matrix
    return matrix


def _rows(material: Material, features: Features) -> list[slice]:
    rows, dim = features.train.shape
    return row_blocks(rows, max(1, min(material.block, BLOCK_NUMBERS // dim)))


def _blocks(material: Material, features: Features) -> Iterator[Tensor]:
    for block in _rows(material, features):
        yield _float64(features.train[block], material.device)


def _float64(rows: np.ndarray, device: str) -> Tensor:
    return torch.from_numpy(np.asarray(rows, np.float64)).to(device)
