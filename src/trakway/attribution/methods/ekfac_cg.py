"""Influence functions with the Gauss-Newton matrix itself, by conjugate gradients that EK-FAC preconditions."""

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.methods.ekfac import mean_influence
from trakway.plan.methods import Method

METHOD = Method(reads=("ekfac_cg",), per_step=True, label="EK-FAC + CG", color="#332288", marker="X", on_request=True)


def score(material: Material, out: np.ndarray, *, damping: float = 0.1) -> None:
    """Fill ``out`` with the mean over members of ∇f(z)ᵀ (H + λ)⁻¹ (-∇ℓ(z_i)), see `trakway.curvature`."""
    mean_influence(material, material.ekfac_cg, damping, out)
