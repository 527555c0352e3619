"""Which training examples each model sees: random subsets, and subsets with the highest- or lowest-scoring left out."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from trakway.errors import UserError
from trakway.plan import CONTROL, Removal, removal_rows
from trakway.seeds import generator
from trakway.targets.entries import positions


def random_subsets(seed: int, role: str, n: int, count: int, fraction: float) -> np.ndarray:
    """Draw uniformly random subsets of exactly ``round(fraction * n)`` of ``n`` examples.

    Row j depends on (seed, role, j, n, fraction) alone: a larger ``count`` leaves the earlier rows as they were.

    Args:
        seed: the experiment's seed.
        role: which ensemble, e.g. ``"members"``; ensembles draw independent subsets.
        n: number of training examples.
        count: number of subsets.
        fraction: share of the examples in a subset, above 0 and at most 1.

    Returns:
        bool, count × n; True = in the subset.

    Raises:
        UserError: ``fraction`` is out of range, or so small that the subsets would be empty.
    """
    size = round(fraction * n) if 0 < fraction <= 1 else 0
    if size == 0:
        raise UserError(
            f"{role}: fraction {fraction} of {n} training examples; it must be above 0 and at most 1, and give at least"
            " one example"
        )
    masks = np.zeros((count, n), bool)
    for row, mask in enumerate(masks):
        mask[generator(seed, f"subset:{role}", row).permutation(n)[:size]] = True
    return masks


def removal_subsets(
    removal: dict,
    scores: dict[str, np.ndarray],
    entries: pd.DataFrame,
    n: int,
    seed: int,
    per_step: Collection[str] = (),
) -> tuple[np.ndarray, pd.DataFrame]:
    """Build the training subsets of the removal experiment: each lacks ``k = max(1, round(fraction * n))`` examples.

    ``top`` removes the k highest-scoring examples of a target, ``bottom`` the k lowest; among equal scores the lower
    index goes first. The control removes k at random, keyed by (seed, position of the fraction, repeat).

    Args:
        removal: the section ``removal`` of an experiment, see `trakway.plan.removal_rows`.
        scores: for every method of ``removal`` its scores, evaluated entries × n.
        entries: the table of targets: which row of the scores belongs to a target and a timestep. Targets are the
            images 0, 1, …, evaluated and, of a diffusion experiment, generated.
        n: number of training examples.
        seed: the experiment's seed.
        per_step: methods whose scores differ from step to step.

    Returns:
        Masks (bool, rows × n; True = kept) and a table with one row a mask: method, side, k, fraction, target,
        timestep (Int64); in the order of `trakway.plan.removal_rows`.

    Raises:
        UserError: the scores of a method are missing, of the wrong shape or not finite, a target has no entry, or
            nothing would be left.
    """
    plan = removal_rows(removal, per_step)
    chosen = [row for row in plan if row.method != CONTROL]
    steps = dict.fromkeys(row.timestep for row in chosen)
    places = {step: positions(entries, step, removal["targets"]) for step in steps}
    for method, step in dict.fromkeys((row.method, row.timestep) for row in chosen):
        _check_scores(method, scores.get(method), places[step], n)
    masks = np.ones((len(plan), n), bool)
    table = []
    for mask, row in zip(masks, plan, strict=True):
        k = max(1, round(row.fraction * n))
        if k >= n:
            raise UserError(f"removal.fractions: {row.fraction} removes all {n} training examples; use a smaller one")
        if row.method == CONTROL:
            stream = generator(seed, "removal", list(removal["fractions"]).index(row.fraction), row.repeat)
            order = stream.permutation(n)
        else:
            order = _order(row, scores[row.method][places[row.timestep][row.target]])
        mask[order[:k]] = False
        table.append((row.method, row.side, k, row.fraction, row.target, row.timestep))
    columns = ["method", "side", "k", "fraction", "target", "timestep"]
    return masks, pd.DataFrame(table, columns=columns).astype({"timestep": "Int64"})


def _order(row: Removal, scores: np.ndarray) -> np.ndarray:
    """Return the examples in the order in which ``row`` removes them."""
    values = np.asarray(scores)
    return np.argsort(-values if row.side == "top" else values, kind="stable")


def _check_scores(method: str, scores: np.ndarray | None, places: np.ndarray, n: int) -> None:
    """Stop unless the scores of the targets, in the rows ``places``, can be ranked."""
    if scores is None:
        raise UserError(f"removal.methods: there are no scores of {method!r}; add it to methods, or remove it here")
    rows = places.max() + 1
    if scores.ndim != 2 or scores.shape[1] != n or scores.shape[0] < rows:
        raise UserError(
            f"removal: the scores of {method} have shape {scores.shape}; needed are at least {rows} rows (of"
            f" {len(places)} targets, removal.targets) × {n} training examples"
        )
    for target, place in enumerate(places):
        bad = np.flatnonzero(~np.isfinite(scores[place]))
        if len(bad):
            value = scores[place, bad[0]]
            raise UserError(
                f"removal: the score of {method} for target {target}, training example {bad[0]} is {value}; compute the"
                " scores of this method again"
            )
