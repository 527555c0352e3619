"""Distribution shift: do models draw other images from a step of a trajectory without the examples a method names?

The counterfactual check of journey-TRAK (Georgiev et al., 2023). What is attributed at step t is the distribution of
the final images that a model draws from x_t; so completions of the same x_t by a model trained without the examples are
set against those of the original model, and the distance against that of models trained without as many at random.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from trakway.metrics.frechet import coupled_distance, frechet_distance, kernel_distance
from trakway.metrics.intervals import interval
from trakway.plan.methods import CONTROL
from trakway.report.tables import Table
from trakway.validation.completions import ORIGINAL, RETRAINED, Completions
from trakway.validation.removal import Resamples, groups, read_at

TABLE = Table(
    section="Shift",
    caption=(
        "FID and KID of completions after removal for every method, timestep and number of removed examples, and how "
        "far completions move that are drawn with the same noise (``moved``), with intervals over samples, and the "
        "difference to the random control of the same size."
    ),
    reads={
        "index": "completions/{reference,removal}/{shard}/index.parquet",
        "features": "completions/{reference,removal}/{shard}/features.npy",
        "rows": "subsets/removal.parquet",
    },
    settings={
        "removal": "removal",
        "dataset": "dataset.name",
        "classifier": "domain.model.name",
        "seed": "seed",
        "resamples": "lds.resamples",
        "level": "lds.level",
    },
    needs=("steps",),
    beside={
        "shift_pairs": (
            "Differences in these distances between every two methods on the same resamples, with intervals; above 0 "
            "where the first moves completions further."
        )
    },
)

DISTANCES = {
    "fid": (frechet_distance, ORIGINAL),
    "kid": (kernel_distance, ORIGINAL),
    "moved": (coupled_distance, RETRAINED),
}
"""How far completions are from those of reference model 0, and from which of its two draws."""

SAME, WHOLE = "same model", "retrained"

COLUMNS = [
    "method", "timestep", "k",
    *(f"{name}{part}" for name in DISTANCES for part in (
        "", "_low", "_high", "_over_random", "_over_random_low", "_over_random_high"
    )),
    "targets", "seeds", "repeats", "completions", "features",
]  # fmt: skip
PAIRS = [
    "method", "against", "timestep", "k", *(f"{name}{part}" for name in DISTANCES for part in ("", "_low", "_high")),
]  # fmt: skip


def evaluate(
    completions: Completions,
    rows: pd.DataFrame,
    removal: dict,
    *,
    features: str,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> dict[str, pd.DataFrame]:
    """Measure how far removing the examples that a method names moves the images that models draw.

    Args:
        completions: features of completions. Needed are those of reference model 0 (both streams), of the other
            reference models, and of the removal models, model = row * seeds + seed: a row of a timestep at this one, a
            row without at every one of ``removal``, the control at every target besides.
        rows: columns method, side, k, fraction, target (-1: removed at random) and timestep, one row a training subset.
            Only top removals and the control are looked at.
        removal: ``timesteps`` (None: nothing to measure), ``targets`` (images 0, 1, …), ``seeds`` of a row and
            ``reference`` (number of reference models).
        features: what the features are, for the table.
        seed: the experiment's seed, for the resamples.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).

    Returns:
        ``shift``, a row for each timestep, method and k (``COLUMNS``). ``fid`` and ``kid``: the distance to the
        completions of the original model, averaged over the seeds of a row, then over targets (and repeats of the
        control); ``moved``: the mean squared distance, completion by completion, to those that the original model draws
        with the same noise, 0 for itself; ``…_over_random``: the difference to the control of the same k and timestep,
        target by target, empty where there is none. With k = 0: ``same model``, two draws of the original model, is
        what no change at all would give; ``retrained``, models of the whole training set with other seeds, what
        training anew alone does. Intervals are over targets, and over repeats where models serve all targets.

        ``shift_pairs``, a row for each timestep, k and two kinds of models (``PAIRS``): the distances of the first
        minus those of the other.

    Raises:
        UserError: completions are missing or not finite.
    """
    resampled = Resamples(seed, resamples)
    targets = np.arange(removal["targets"])
    shares = resampled.shares("targets", len(targets))
    table, pairs = [], []

    def difference(kind: Kind, other: Kind, name: str) -> tuple[float, np.ndarray]:
        values, against = kind.distances[name], other.distances[name]
        drawn = resampled.means(values, shares) - resampled.means(against, shares)
        return values.mean() - against.mean(), drawn

    for timestep in removal["timesteps"] or ():
        baselines = [
            {stream: completions.of("reference", 0, target, timestep, stream) for stream in (ORIGINAL, RETRAINED)}
            for target in targets
        ]
        shared = {"timestep": timestep, "targets": len(targets), "features": features}
        shared["completions"] = len(baselines[0][ORIGINAL])
        kinds = _kinds(completions, baselines, rows.reset_index(drop=True), removal, timestep)
        controls = {kind.k: kind for kind in kinds if kind.method == CONTROL}
        for kind in kinds:
            row = {"method": kind.method, "k": kind.k, "seeds": kind.seeds, **shared}
            control = controls.get(kind.k) if kind.method != CONTROL else None
            for name, values in kind.distances.items():
                row["repeats"] = len(values)
                row |= _columns(name, values.mean(), resampled.means(values, shares), level)
                if control:
                    row |= _columns(f"{name}_over_random", *difference(kind, control, name), level)
            table.append(row)
        removed = [kind for kind in kinds if kind.k]
        for kind, other in (pair for pair in combinations(removed, 2) if pair[0].k == pair[1].k):
            row = {"method": kind.method, "against": other.method, "timestep": timestep, "k": kind.k}
            for name in DISTANCES:
                row |= _columns(name, *difference(kind, other, name), level)
            pairs.append(row)
    return {"shift": pd.DataFrame(table, columns=COLUMNS), "shift_pairs": pd.DataFrame(pairs, columns=PAIRS)}


class Kind(NamedTuple):
    """The distances of one kind of models at one timestep.

    Attributes:
        method: whose examples they lack, or what else they are.
        k: how many examples they lack.
        seeds: how many models were averaged for each distance.
        distances: by name (repeats × targets).
    """

    method: str
    k: int
    seeds: int
    distances: dict[str, np.ndarray]


def _kinds(
    completions: Completions, baselines: list[dict[str, np.ndarray]], rows: pd.DataFrame, removal: dict, timestep: int
) -> list[Kind]:
    """Measure all kinds of models at a timestep: the reference models, then those of ``rows`` as they appear."""
    whole, seeds = removal["reference"], removal["seeds"]
    here = rows[(rows["side"] != "bottom") & read_at(rows, timestep)]
    models = [("reference", model) for model in range(whole)]
    models += [("removal", row * seeds + one) for row in here.index for one in range(seeds)]
    owners = np.concatenate([np.full(whole, -1), np.repeat(here["target"].to_numpy(), seeds)])
    distances = {name: np.full((len(models), len(baselines)), np.nan) for name in DISTANCES}
    for target, baseline in enumerate(baselines):
        for place in np.flatnonzero((owners == -1) | (owners == target)):
            drawn = completions.of(*models[place], target, timestep)
            for name, (distance, stream) in DISTANCES.items():
                distances[name][place, target] = distance(drawn, baseline[stream])
    kinds = [Kind(SAME, 0, 1, {name: values[:1] for name, values in distances.items()})]
    if whole > 1:
        kinds.append(Kind(WHOLE, 0, 1, {name: values[1:whole] for name, values in distances.items()}))
    if len(here):
        found = [groups(values[whole:], here)[1] for values in distances.values()]
        for same in zip(*found, strict=True):
            key, values = same[0].key, {name: group.margins for name, group in zip(distances, same, strict=True)}
            kinds.append(Kind(key["method"], key["k"], seeds, values))
    return kinds


def _columns(name: str, estimate: float, drawn: np.ndarray, level: float) -> dict[str, float]:
    """Name an estimate and its interval."""
    low, high = interval(drawn, level)
    return {name: float(estimate), f"{name}_low": low, f"{name}_high": high}


def make(
    index: Mapping[str, pd.DataFrame],
    features: Mapping[str, np.ndarray],
    rows: pd.DataFrame,
    removal: dict,
    dataset: str,
    classifier: str,
    seed: int,
    resamples: int,
    level: float,
) -> dict[str, pd.DataFrame]:
    """Make the tables from completions by shard, see `evaluate`.

    Args:
        index: ensemble and shard → whose completions they are.
        features: likewise → features of the completions.
        rows: what each subset lacks.
        removal: the section of the settings.
        dataset: name of the data set.
        classifier: name of the domain's model.
        seed: the experiment's seed.
        resamples: how many bootstrap resamples.
        level: of the intervals.
    """
    completions = Completions(zip(index.values(), features.values(), strict=True))
    name = f"classifier on {dataset}: {classifier}"
    return evaluate(completions, rows, removal, features=name, seed=seed, resamples=resamples, level=level)
