"""D-TRAK (Zheng, Pang, Du, Jiang, Lin; ICLR 2024): TRAK with gradients of the squared norm of the prediction.

‖ε_θ(x_t, t)‖² takes the place of the loss, for training examples and targets alike (equation 10); a positive score is
still helpful, for an example's score for itself is positive.
"""

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.methods import trak
from trakway.plan.methods import Method

METHOD = Method(reads=("norm",), label="D-TRAK", color="#A1D99B", marker="*", needs=("steps",))


def score(
    material: Material,
    out: np.ndarray,
    *,
    ridge: float = 0.0,
    soft_threshold: float = 0.0,
    weights: bool = True,
    average: str = "paper",
) -> None:
    """Fill ``out`` with scores of each target's whole image; options as of `trak.estimate`."""
    trak.score(with_norm(material), out, ridge=ridge, soft_threshold=soft_threshold, weights=weights, average=average)


def with_norm(material: Material) -> Material:
    """Return the material with gradients of the squared norm in the place of those of the output."""
    return material.replace(features=material.norm, cache=material.cache.setdefault("norm", {}))
