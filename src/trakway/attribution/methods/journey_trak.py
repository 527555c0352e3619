"""Journey-TRAK (Georgiev, Vendrow, Salman, Park, Madry, 2023, section 3): a step of the sampling trajectory.

The TRAK estimator with the output f_t of the estimate x̂_0(x_t); the training features, of the loss averaged over all
steps, are the same for every t.
"""

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.methods.trak import estimate
from trakway.plan.methods import Method

METHOD = Method(
    reads=("features",),
    per_step=True,
    steps_only=True,
    label="journey-TRAK",
    color="#661100",
    marker="d",
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
    estimate(material, out, ridge=ridge, soft_threshold=soft_threshold, weights=weights, average=average)
