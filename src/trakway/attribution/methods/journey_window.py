"""Journey-TRAK with training features of the step: gradients of the training losses around t, not of all steps."""

from dataclasses import replace

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.methods.trak import estimate
from trakway.attribution.values import Features
from trakway.plan.methods import Method

METHOD = Method(
    reads=("features", "windows"),
    per_step=True,
    steps_only=True,
    label="journey-TRAK, features at t",
    color="#332288",
    marker=">",
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
    """Fill ``out`` with the estimator's scores of each target's own timestep; options as of `trak.estimate`.

    Targets without a timestep have features of all steps.
    """
    for step in np.unique(material.timesteps):
        here = np.flatnonzero(material.timesteps == step)
        part = material.replace(
            features=_at(material, step),
            windows={},
            final=None,
            cache=material.cache.setdefault(("window", step), {}),
        ).of_targets(here)
        scores = np.empty((len(here), material.size), np.float32)
        estimate(part, scores, ridge=ridge, soft_threshold=soft_threshold, weights=weights, average=average)
        out[here] = scores


def _at(material: Material, step: int) -> list[Features]:
    """Return the features of the members with training gradients of a step's window, and the targets' own."""
    if step < 0:
        return material.features
    windows = material.windows[step]
    return [replace(entry, targets=own.targets) for entry, own in zip(windows, material.features, strict=True)]
