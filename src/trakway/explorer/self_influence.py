"""Self-influence: the score of a training example for itself, high where a model has learnt it by heart."""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from trakway.attribution.values import Features


def self_influence(members: Sequence[Features], ridge: float, weights: bool = True) -> np.ndarray:
    """Return TRAK's score of every training example for itself (Park et al., 2023, equations 15 to 17).

    ``τ_i = mean_m Q_m,ii · mean_m φ_m,iᵀ (Φ_mᵀΦ_m + ridge·mean(diag(Φ_mᵀΦ_m))·I)⁻¹ φ_m,i``

    Args:
        members: the features of training examples, one entry a member.
        ridge: relative to the mean of the kernel's diagonal.
        weights: False leaves Q out.

    Returns:
        float64 (n,), 0 or more.
    """
    total = np.mean([_leverage(np.asarray(member.train, np.float64), ridge) for member in members], axis=0)
    return total * np.mean([member.weights for member in members], axis=0, dtype=np.float64) if weights else total


def _leverage(phi: np.ndarray, ridge: float) -> np.ndarray:
    """Return φᵢᵀ (ΦᵀΦ + s·I)⁻¹ φᵢ for every row; with more columns than rows by way of ΦΦᵀ, which is smaller."""
    rows, dim = phi.shape
    shift = ridge * (phi * phi).sum() / dim
    if dim <= rows:
        factor = np.linalg.cholesky(phi.T @ phi + shift * np.eye(dim))
        return (solve_triangular(factor, phi.T, lower=True) ** 2).sum(axis=0)
    gram = phi @ phi.T
    # G (G + s·I)⁻¹ = I - s (G + s·I)⁻¹
    return 1 - shift * np.diag(cho_solve(cho_factor(gram + shift * np.eye(rows), lower=True), np.eye(rows)))
