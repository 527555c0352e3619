"""Run one attribution method on an experiment's material, its options chosen on the tuning targets."""

import numpy as np

from trakway.attribution import Material, method
from trakway.plan import OPTIONS
from trakway.validation.tuning import choose


def run_method(name: str, material: Material, evaluated: int, scores: dict, out: np.ndarray) -> dict:
    """Fill ``out`` with a method's scores of the evaluated targets.

    Args:
        name: the method.
        material: of all targets, the evaluated ones first; the rest, with the estimation bank, choose the options.
        evaluated: number of evaluated targets.
        scores: the ``scores`` section: a value for each option, or a list to choose from.
        out: float32 (evaluated, n).

    Returns:
        ``{"method", "members", "dim", "options", "tuning"}``: what was used, and the LDS of what was tried.
    """
    score = method(name)
    grid = {key: scores[key] if isinstance(scores[key], list) else [scores[key]] for key in OPTIONS.get(name, ())}
    tuning = material.of_targets(slice(evaluated, None))
    options, tried = choose(score, tuning, grid, tuning.masks, tuning.outputs)
    score(material.of_targets(slice(0, evaluated)), out, **options)
    used = material.features or (material.checkpoints[-1] if material.checkpoints else ())
    return {
        "method": name,
        "members": len(used) or len(material.representations) or None,
        "dim": used[0].train.shape[1] if used else None,
        "ridge": options.get("ridge"),
        "options": options,
        "tuning": tried,
    }
