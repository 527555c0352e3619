"""Choose the options of a method on held-out targets: never on the targets or subsets that are evaluated."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.values import EstimationBank
from trakway.metrics.lds import lds_per_target, predicted


def choose(
    score: Callable[..., None],
    tuning: Material,
    grid: Mapping[str, Sequence],
    bank: EstimationBank | None,
    entries: slice | np.ndarray = slice(None),
) -> tuple[dict, list[dict]]:
    """Return the combination of options with the highest mean LDS on the tuning targets, and every combination's LDS.

    Args:
        score: a method's ``score(material, out, **options)``.
        tuning: the material of the tuning targets.
        grid: values to try of each option. With one combination nothing is computed.
        bank: subsets that the choice may look at, and their outputs on the tuning targets; None where there is nothing
            to choose.
        entries: the tuning targets whose mean LDS decides, an index; by default all.

    Returns:
        (options, [{option: value, ..., "lds": float}...]); the first of equals wins.
    """
    candidates = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    if len(candidates) == 1:
        return candidates[0], []
    tried = []
    for options in candidates:
        scores = np.empty((tuning.targets, tuning.size), np.float32)
        score(tuning, scores, **options)
        tried.append(
            {**options, "lds": float(lds_per_target(predicted(scores, bank.masks), bank.outputs)[entries].mean())}
        )
    best = max(range(len(tried)), key=lambda i: tried[i]["lds"])
    return candidates[best], tried
