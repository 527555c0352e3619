"""D-TRAK's gradients on the way: ‖ε_θ(x_t, t)‖² of the noised estimate x̂_0(x_t) in the place of its loss."""

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.methods.d_trak import with_norm
from trakway.attribution.methods.trak import estimate
from trakway.plan.methods import Method

METHOD = Method(
    reads=("norm",),
    per_step=True,
    steps_only=True,
    label="journey-D-TRAK",
    color="#AA4499",
    marker="<",
    needs=("steps",),
)


def score(
    material: Material,
    out: np.ndarray,
    *,
    ridge: float = 0.0,
    soft_threshold: float = 0.0,
    weights: bool = True,
    average: str = "paper",
) -> None:
    """Fill ``out`` with the estimator's scores of each target's own timestep; options as of `trak.estimate`."""
    estimate(with_norm(material), out, ridge=ridge, soft_threshold=soft_threshold, weights=weights, average=average)
