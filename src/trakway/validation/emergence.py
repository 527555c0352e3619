"""Emergence: at which step of a trajectory the class of the final image is settled, and what its examples do there.

Completions of x_t tell what is still open at step t (Georgiev et al., 2023): while the noise is high a model draws
images of every class, and within a narrow window of steps those of one class prevail. Examples that carry the class,
found by the attributions of that window, make it rarer among completions when they are removed.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from trakway.metrics.intervals import interval
from trakway.plan.methods import CONTROL
from trakway.report.tables import Table
from trakway.validation.completions import ORIGINAL, RETRAINED, Completions
from trakway.validation.removal import Resamples, read_at

TABLE = Table(
    section="Emergence",
    caption=(
        "Probability of the final class in completions along t, before and after removal; target -1 is the mean over "
        "samples."
    ),
    reads={
        "index": "completions/{reference,removal}/{shard}/index.parquet",
        "probabilities": "completions/{reference,removal}/{shard}/probabilities.npy",
        "final": "completions/reference/{shard}/final.npy",
        "rows": "subsets/removal.parquet",
        "data": "data/meta.json",
    },
    settings={
        "removal": "removal",
        "timesteps": "journey.timesteps",
        "method": "{main}",
        "seed": "seed",
        "resamples": "lds.resamples",
        "level": "lds.level",
    },
    needs=("steps",),
)

COLUMNS = [
    "target", "label", "emergence_timestep", "timestep", "group", "method", "k", "probability", "probability_low",
    "probability_high",
]  # fmt: skip


def emergence_window(timesteps: Sequence[int], probability: np.ndarray) -> tuple[int, int]:
    """Find the two neighbouring timesteps between which a class emerges: where its probability rises most as t falls.

    Args:
        timesteps: in any order, at least 1.
        probability: (timesteps,) of the class in completions of each.

    Returns:
        The higher and the lower one (the same if there is one only); among equal rises the earliest, of the highest t.
    """
    order = np.argsort(timesteps)[::-1]
    steps = np.asarray(timesteps)[order]
    if len(steps) == 1:
        return int(steps[0]), int(steps[0])
    rise = int(np.argmax(np.diff(np.asarray(probability)[order])))
    return int(steps[rise]), int(steps[rise + 1])


def nearest_timestep(timesteps: Sequence[int], window: tuple[int, int]) -> int:
    """Return the timestep nearest to the middle of a window; of two as near the higher."""
    return min(timesteps, key=lambda step: (abs(2 * step - sum(window)), -step))


class Curves(NamedTuple):
    """Probabilities of one target's class in the completions of one kind of models.

    Attributes:
        group: ``"original"``, ``"removed"`` or ``"random"``.
        method: whose examples the models lack; None: they lack none.
        k: how many.
        values: (independent models × timesteps × completions); of the control, means over the seeds of a repeat.
    """

    group: str
    method: str | None
    k: int
    values: np.ndarray


def evaluate(
    completions: Completions,
    rows: pd.DataFrame,
    removal: dict,
    timesteps: Sequence[int],
    final: np.ndarray,
    names: Sequence[str],
    *,
    method: str = "journey_trak",
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> pd.DataFrame:
    """Follow the probability of a target's class in completions along its trajectory, with and without examples.

    Args:
        completions: probabilities of completions at all ``timesteps``: of reference model 0 (stream ``"original"``) and
            of the removal models, model = row * seeds + seed, those of the method for their own target, those of the
            control for every one.
        rows: columns method, side, k, target (-1: removed at random) and timestep, one row a training subset.
        removal: ``timesteps`` (where examples were removed; None: nothing to measure), ``targets`` (images 0, 1, …) and
            ``seeds`` of a row.
        timesteps: of the journey.
        final: (images × classes) probabilities of the final images; the class of a target is the most probable.
        names: of the classes.
        method: whose top removals are looked at, at their largest k.
        seed: the experiment's seed, for the resamples.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).

    Returns:
        A row for each target, group and timestep (``COLUMNS``), and for the mean over targets (target -1). Groups:
        ``original``, reference model 0; ``removed``, models without the examples of the method at
        ``emergence_timestep``, that of the removal which is nearest to the middle of the window (`emergence_window`)
        of the original; ``random``, models without as many at random. A group that was not trained has no rows.
        The intervals of a target are over completions (drawn with the same noise by all models) and models (of
        the control its repeats), too narrow where these are two or three; those of the mean are over targets, and the
        repeats of the control.

    Raises:
        UserError: completions are missing or not finite.
    """
    steps = sorted(timesteps, reverse=True)
    resampled = Resamples(seed, resamples)
    rows = rows.reset_index(drop=True)
    table, means = [], {}
    for target in range(removal["targets"] if removal["timesteps"] else 0):
        label = int(np.argmax(final[target]))
        original = _read(completions, [("reference", 0)], target, steps, label, ORIGINAL)
        at = nearest_timestep(removal["timesteps"], emergence_window(steps, original.mean(axis=(0, 2))))
        known = {"target": target, "label": names[label], "emergence_timestep": at}
        curves = [Curves("original", None, 0, original)]
        for group, name, k, chosen in _removals(rows, method, target, at):
            models = [("removal", row * removal["seeds"] + one) for row in chosen for one in range(removal["seeds"])]
            values = _read(completions, models, target, steps, label)
            if group == "random":  # what is independent are its subsets, not the seeds of one
                values = values.reshape(len(chosen), -1, *values.shape[1:]).mean(axis=1)
            curves.append(Curves(group, name, k, values))
        for one in curves:
            table += _rows(known, one, steps, resampled, resampled.shares("completions", one.values.shape[2]), level)
            # The models of the control serve all targets; of the others each target has its own.
            serving = one.values if one.group == "random" else one.values.mean(axis=0, keepdims=True)
            means.setdefault(one.group, []).append(one._replace(values=serving.mean(axis=2)))
    for every in means.values():
        mean = every[0]._replace(values=np.stack([one.values for one in every], axis=2))
        table += _rows({"target": -1}, mean, steps, resampled, resampled.shares("targets", len(every)), level)
    return pd.DataFrame(table, columns=COLUMNS).astype({"emergence_timestep": "Int64"})


def _removals(rows: pd.DataFrame, method: str, target: int, timestep: int) -> list[tuple[str, str, int, pd.Index]]:
    """Return group, method, k and rows of the models to set beside the original; k is the largest of the method."""
    control = rows[rows["method"] == CONTROL]
    own = rows[(rows["method"] == method) & (rows["side"] == "top")]
    k = int((own if len(own) else control)["k"].max()) if len(rows) else 0
    own = own[(own["target"] == target) & read_at(own, timestep)]
    found = [("removed", method, own), ("random", CONTROL, control)]
    chosen = [(group, name, k, part.index[part["k"] == k]) for group, name, part in found]
    return [one for one in chosen if len(one[-1])]


def _read(
    completions: Completions,
    models: list[tuple[str, int]],
    target: int,
    steps: list[int],
    label: int,
    stream: str = RETRAINED,
) -> np.ndarray:
    """Return the probability of a class in completions: (models × timesteps × completions)."""
    return np.array([[completions.of(*model, target, step, stream)[:, label] for step in steps] for model in models])


def _rows(
    known: dict, curves: Curves, steps: list[int], resampled: Resamples, shares: np.ndarray, level: float
) -> list[dict]:
    """Summarise curves; ``shares`` (items × resamples) are those of the last axis of the values."""
    found = []
    for place, step in enumerate(steps):
        values = curves.values[:, place]
        low, high = interval(resampled.means(values, shares), level)
        row = known | {"timestep": step, "group": curves.group, "method": curves.method, "k": curves.k}
        found.append(row | {"probability": values.mean(), "probability_low": low, "probability_high": high})
    return found


def make(
    index: Mapping[str, pd.DataFrame],
    probabilities: Mapping[str, np.ndarray],
    final: Mapping[str, np.ndarray],
    rows: pd.DataFrame,
    data: dict,
    removal: dict,
    timesteps: Sequence[int],
    method: str,
    seed: int,
    resamples: int,
    level: float,
) -> pd.DataFrame:
    """Make the table from completions by shard, see `evaluate`.

    Args:
        index: ensemble and shard → whose completions they are.
        probabilities: likewise → of the classes of the completions.
        final: shard → (images × classes) of the final images, in every shard the same.
        rows: what each subset lacks.
        data: what is known of the data set: ``classes``.
        removal: the section of the settings.
        timesteps: of the journey.
        method: whose removals are looked at.
        seed: the experiment's seed.
        resamples: how many bootstrap resamples.
        level: of the intervals.
    """
    return evaluate(
        Completions(zip(index.values(), probabilities.values(), strict=True)),
        rows,
        removal,
        timesteps,
        next(iter(final.values())),
        data["classes"],
        method=method,
        seed=seed,
        resamples=resamples,
        level=level,
    )
