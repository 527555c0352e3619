"""The axis that all figures along a sampling trajectory share: t falls from left to right, from noise to image."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes

LABEL = "Timestep t (from noise to image)"


def along_timesteps(axes: Axes, timesteps: Iterable[int], most: int = 15) -> None:
    """Give ``axes`` a falling t axis with ticks at timesteps, at most so many, or they would crowd."""
    steps = np.unique(np.asarray(list(timesteps), float))[::-1]
    margin = 0.6 * spacing(steps)
    axes.set_xlim(steps[0] + margin, steps[-1] - margin)
    apart = np.ptp(steps) / (most - 1)
    ticks = [steps[0]]
    for step in steps[1:]:
        if ticks[-1] - step >= apart:
            ticks.append(step)
    axes.set_xticks(ticks, [f"{step:g}" for step in ticks])
    axes.set_xlabel(LABEL)


def spacing(timesteps: Iterable[int]) -> float:
    """Return the smallest distance of two timesteps; of one alone, its own size."""
    steps = np.unique(np.asarray(list(timesteps), float))
    return float(np.diff(steps).min()) if len(steps) > 1 else float(steps[0])


def dodge(timesteps: Iterable[int], count: int) -> np.ndarray:
    """Return shifts of t for ``count`` lines: the first to the left, together at most half a spacing, 0 in the mean.

    Without them the intervals of one timestep would hide each other.
    """
    return -spacing(timesteps) * min(0.55, 0.06 * (count - 1)) * np.linspace(-0.5, 0.5, count)
