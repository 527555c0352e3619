"""Run one attribution method on an experiment's material, its options chosen on the tuning targets."""

from collections.abc import Sequence

import numpy as np

from trakway.attribution import Features, Material, method
from trakway.attribution.tuning import choose
from trakway.plan import NEEDS, OPTIONS, PER_STEP


def entries_of(name: str, material: Material) -> Sequence:
    """Return what a method reads of its models, one entry a model; nothing for a method without, or with a bank."""
    need = next(iter(NEEDS[name]), "estimation")
    if need == "estimation":
        return ()
    found = getattr(material, need)
    return found[-1] if need == "checkpoints" else found


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
    options, tried = choose(score, tuning, grid, tuning.masks, tuning.outputs, _decisive(name, tuning))
    score(material.of_targets(slice(0, evaluated)), out, **options)
    used = entries_of(name, material)
    return {
        "method": name,
        "members": len(used) or None,
        "dim": used[0].train.shape[1] if used and isinstance(used[0], Features) else None,
        "ridge": options.get("ridge"),
        "options": options,
        "tuning": tried,
    }


def _decisive(name: str, tuning: Material) -> slice | np.ndarray:
    """Return the tuning entries that a choice is made on: those with a timestep for a method that tells steps apart."""
    if name in PER_STEP and tuning.final is not None:
        return tuning.final != np.arange(tuning.targets)
    return slice(None)
