"""Influence functions with the Gauss-Newton matrix itself, by conjugate gradients that EK-FAC preconditions."""

import numpy as np

from trakway.attribution.averages import mean_at
from trakway.attribution.material import Material
from trakway.plan.methods import Method

METHOD = Method(reads=("ekfac_cg",), per_step=True, label="EK-FAC + CG", color="#44AA99", marker="4", on_request=True)


def score(material: Material, out: np.ndarray, *, damping: float = 0.1) -> None:
    """Fill ``out`` with the mean over members of ∇f(z)ᵀ (H + λ)⁻¹ (-∇ℓ(z_i)), see `trakway.curvature`."""
    mean_at(material, material.ekfac_cg, "scores.damping", damping, out)
