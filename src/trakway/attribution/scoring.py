"""Run one attribution method on an experiment's material, its options chosen on the tuning targets."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from trakway.attribution.inputs import INPUTS
from trakway.attribution.material import Material
from trakway.attribution.tuning import choose
from trakway.attribution.values import Features
from trakway.errors import UserError
from trakway.plan.loading import load_from
from trakway.plan.methods import Chosen

LOST = 0.01  # of the deviation of a target's scores, that rounding them to float32 may move them


def score_function(chosen: Chosen) -> Callable[..., None]:
    """Return the function ``score(material, out, **options)`` of a method.

    Raises:
        UserError: the file of a user's own cannot be loaded.
    """
    return load_from(chosen.file, chosen.function)


def entries_of(chosen: Chosen, material: Material) -> Sequence:
    """Return what a method reads of its models, one entry a model; nothing for a method without, or with a bank."""
    return next(filter(len, (INPUTS[name].models(material.inputs[name]) for name in chosen.method.reads)), ())


def fill(name: str, score: Callable[..., None], material: Material, out: np.ndarray, **options) -> None:
    """Let a method fill ``out`` (targets, n), and check that it has.

    Raises:
        UserError: a place is not filled, or with what is no finite number, or the method returns something.
    """
    out[:] = np.nan
    returned = score(material, out, **options)
    if returned is not None:
        raise UserError(
            f"{name}: score returned a {type(returned).__name__}; allowed: nothing, since the scores are what it "
            "writes into its argument out; end it with out[:] = ..."
        )
    _require_finite(name, out, " (nan is also what it was before: write all of out, as in out[:] = ...)")


def check_own(chosen: Chosen, evaluated: int, targets: int | None, size: int) -> None:
    """Check what can be known of a user's own method before anything is trained.

    Args:
        chosen: a function in a file, which is imported, or an array, which is read.
        evaluated: number of evaluated entries.
        targets: number of all entries; None where they are still to be sampled: rows are not counted then.
        size: number of training examples n.

    Raises:
        UserError: it cannot be used.
    """
    if chosen.scores is None:
        score_function(chosen)
        return
    read_scores(chosen, evaluated, targets, size)


def run_method(chosen: Chosen, material: Material, evaluated: int, out: np.ndarray) -> dict:
    """Fill ``out`` with a method's scores of the evaluated targets.

    Args:
        chosen: the method, with a value for each option, or a list to choose from.
        material: of all targets, the evaluated ones first; the rest, with the estimation bank, choose the options. The
            method sees the inputs that it declares and no other.
        evaluated: number of evaluated targets.
        out: float32 (evaluated, n).

    Returns:
        ``{"method", "members", "dim", "ridge", "options", "tuning"}``: what was used, and the LDS of what was tried.

    Raises:
        UserError: the scores are not what they should be, or the file of a user's own cannot be loaded.
    """
    if chosen.scores is not None:
        out[:] = read_scores(chosen, evaluated, material.targets, material.size)
        return {"method": chosen.name, "members": None, "dim": None, "ridge": None, "options": {}, "tuning": []}
    score = partial(fill, chosen.name, score_function(chosen))
    grid = {key: value if isinstance(value, list) else [value] for key, value in chosen.options.items()}
    material = material.of_members(chosen.members) if chosen.members else material
    seen = material.only(chosen.method.reads)
    tuning, bank = seen.of_targets(slice(evaluated, None)), None
    if chosen.tuned:
        bank = INPUTS["estimation"].of_targets(material.estimation, slice(evaluated, None))
    options, tried = choose(score, tuning, grid, bank, _decisive(chosen, tuning))
    score(seen.of_targets(slice(0, evaluated)), out, **options)
    used = entries_of(chosen, material)
    return {
        "method": chosen.name,
        "members": len(used) or None,
        "dim": used[0].train.shape[1] if used and isinstance(used[0], Features) else None,
        "ridge": options.get("ridge"),
        "options": options,
        "tuning": tried,
    }


def read_scores(chosen: Chosen, evaluated: int, targets: int | None, size: int) -> np.ndarray:
    """Return the evaluated rows of an array of scores that comes from elsewhere.

    Args:
        chosen: names the file, ``.npy``, real numbers (evaluated entries × n) or (all entries × n), in the order of
            ``orders/targets.csv`` and ``orders/examples.csv`` of the experiment.
        evaluated: number of evaluated entries.
        targets: number of all entries; None where they are not known yet: any number of rows will do.
        size: number of training examples n.

    Raises:
        UserError: it is no such array, or holds numbers that are not finite, or whose differences float32 cannot tell.
    """
    advice = (
        "rows are the entries of orders/targets.csv, columns the examples of orders/examples.csv "
        "(snakemake NAME_orders writes both)"
    )
    try:
        scores = np.lib.format.open_memmap(chosen.scores, mode="r")
    except (OSError, ValueError) as error:
        raise UserError(f"{chosen.scores}: cannot be read ({error}); allowed: an array saved by numpy.save") from None
    allowed = [(evaluated, size), (targets, size)]
    if targets is None and scores.ndim == 2:
        allowed = [(len(scores), size)]
    if scores.shape not in allowed or scores.dtype.kind not in "fiu":
        shapes = " or ".join(f"{rows} × {columns}" for rows, columns in dict.fromkeys(allowed))
        found = " × ".join(map(str, scores.shape))
        raise UserError(f"{chosen.scores}: found {scores.dtype} {found}; allowed: real numbers {shapes}: {advice}")
    _require_finite(chosen.scores, scores[:evaluated])
    for row in range(evaluated):
        whole = np.asarray(scores[row], np.float64)
        with np.errstate(over="ignore"):
            lost = np.asarray(whole, np.float32) - whole
        told_apart = np.isfinite(lost).all() and np.sqrt(np.mean(lost**2)) <= LOST * whole.std()
        if np.ptp(whole) > 0 and not told_apart:
            raise UserError(
                f"{chosen.scores}: the scores of target entry {row} lie between {whole.min():g} and {whole.max():g},"
                " and scores are kept as float32, which does not tell them apart; allowed: numbers that it does;"
                " subtract the mean of each row and rescale it, which changes no rank"
            )
    return scores[:evaluated]


def _require_finite(what: str, scores: np.ndarray, hint: str = "") -> None:
    for row in range(len(scores)):  # one at a time: an array may be larger than the memory
        bad = np.flatnonzero(~np.isfinite(scores[row]))
        if len(bad):
            raise UserError(
                f"{what}: the score of target entry {row} for training example {bad[0]} is {scores[row][bad[0]]}; "
                f"allowed: finite numbers, since scores are ranked and summed{hint}"
            )


def _decisive(chosen: Chosen, tuning: Material) -> slice | np.ndarray:
    """Return the tuning entries that a choice is made on: those whose scores are the method's own.

    With a timestep for a method that tells steps apart, without one for a method whose scores belong to the image.
    """
    if tuning.final is None:
        return slice(None)
    whole = tuning.final == np.arange(tuning.targets)
    return ~whole if chosen.method.per_step else whole
