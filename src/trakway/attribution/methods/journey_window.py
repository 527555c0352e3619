"""Journey-TRAK with training features of the step: gradients of the training losses around t, not of all steps."""

import dataclasses

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.methods.trak import estimate


def score(
    material: Material,
    out: np.ndarray,
    ridge: float = 0.0,
    soft_threshold: float = 0.0,
    weights: bool = True,
    average: str = "paper",
) -> None:
    """Fill ``out`` with the estimator's scores of each target's own timestep; options as of `trak.estimate`.

    Targets without a timestep have features of all steps.
    """
    for step in np.unique(material.timesteps):
        here = np.flatnonzero(material.timesteps == step)
        part = dataclasses.replace(
            material,
            features=material.windows[step] if step >= 0 else material.features,
            windows={},
            final=None,
            cache=material.cache.setdefault(("window", step), {}),
        ).of_targets(here)
        scores = np.empty((len(here), material.size), np.float32)
        estimate(part, scores, ridge, soft_threshold, weights, average)
        out[here] = scores
