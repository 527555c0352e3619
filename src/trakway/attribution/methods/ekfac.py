"""Influence functions with the curvature in its eigenvalue-corrected Kronecker factors (Grosse et al., 2023)."""

import numpy as np

from trakway.attribution.averages import mean_at
from trakway.attribution.material import Material
from trakway.plan.methods import Method

METHOD = Method(reads=("ekfac",), per_step=True, label="EK-FAC", color="#117733", marker="3", on_request=True)


def score(material: Material, out: np.ndarray, *, damping: float = 0.1) -> None:
    """Fill ``out`` with the mean over members of ∇f(z)ᵀ (H + λ)⁻¹ (-∇ℓ(z_i)), see `trakway.curvature`."""
    mean_at(material, material.ekfac, "scores.damping", damping, out)
