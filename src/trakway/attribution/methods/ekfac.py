"""Influence functions with the curvature in its eigenvalue-corrected Kronecker factors (Grosse et al., 2023)."""

import numpy as np

from trakway.attribution.averages import mean_of
from trakway.attribution.material import Material
from trakway.errors import UserError
from trakway.plan.methods import Method

METHOD = Method(reads=("ekfac",), per_step=True, label="EK-FAC", color="#117733", marker="h", on_request=True)


def score(material: Material, out: np.ndarray, *, damping: float = 0.1) -> None:
    """Fill ``out`` with the mean over members of ∇f(z)ᵀ (H + λ)⁻¹ (-∇ℓ(z_i)), see `trakway.curvature`."""
    mean_influence(material, material.ekfac, damping, out)


def mean_influence(material: Material, found: dict[float, list[np.ndarray]], damping: float, out: np.ndarray) -> None:
    """Fill ``out`` with the mean over members at a damping.

    Raises:
        UserError: nothing was computed at it.
    """
    if damping not in found:
        raise UserError(
            f"damping: found {damping:g}; allowed: {', '.join(f'{value:g}' for value in found)}, which were computed; "
            "name others in scores.damping"
        )
    mean_of(material, found[damping], out)
