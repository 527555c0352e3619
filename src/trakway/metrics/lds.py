"""The linear datamodeling score (LDS; Park et al., 2023, TRAK, definition 2.4) and the highest value it can take.

The LDS of a target is the Spearman correlation, over random training subsets, between what the scores predict (the sum
of the scores of the subset's examples) and what retraining on the subset gives (the mean output over a few seeds).
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from trakway.errors import UserError
from trakway.metrics.intervals import bootstrap_lds, interval, paired_difference
from trakway.targets.table import Group, groups

TILE = 1024  # columns added up in one matrix product: fixed, so that no block size changes a bit of the sums
TARGETS_AT_ONCE = 512

COLUMNS = [
    "kind", "timestep", "method", "lds", "lds_low", "lds_high", "ceiling", "over_ceiling", "subsets", "seeds",
    "members", "dim", "ridge", "targets",
]  # fmt: skip
TARGET_COLUMNS = ["kind", "timestep", "method", "target", "lds"]
PAIR_COLUMNS = [
    "kind", "timestep", "method", "against", "difference", "difference_low", "difference_high", "share"
]  # fmt: skip


def predicted(scores: np.ndarray, masks: np.ndarray, block: int = 4096) -> np.ndarray:
    """Predict the outputs of models trained on subsets: the sum of the scores of each subset's examples.

    Reads ``block`` examples (rounded to whole tiles of 1024) of 512 targets at a time, so that a memory map of any size
    will do. The result is the same to the bit whatever the block.

    Args:
        scores: (targets × n), may be a memory map; summed in float64.
        masks: bool (subsets × n): which examples each model saw.
        block: how many examples are read at once, at least 1.

    Returns:
        float64 (subsets × targets).

    Raises:
        ValueError: the two do not speak of the same n.
    """
    targets, n = scores.shape
    if masks.shape[1] != n:
        raise ValueError(f"scores speak of {n} training examples, masks of {masks.shape[1]}")
    step = max(1, round(block / TILE)) * TILE
    total = np.zeros((len(masks), targets))
    for start in range(0, n, step):
        mask = masks[:, start : start + step].astype(np.float64)
        for first in range(0, targets, TARGETS_AT_ONCE):
            rows = slice(first, first + TARGETS_AT_ONCE)
            part = np.asarray(scores[rows, start : start + step], dtype=np.float64)
            for tile in range(0, part.shape[1], TILE):
                total[:, rows] += mask[:, tile : tile + TILE] @ part[:, tile : tile + TILE].T
    return total


def by_subset(outputs: np.ndarray, subsets: int) -> np.ndarray:
    """Sort the outputs of a bank by subset and seed.

    Args:
        outputs: (models × entries), model = subset * seeds + seed.
        subsets: how many there are.

    Returns:
        (subsets × seeds × entries).

    Raises:
        UserError: the models are no whole number a subset.
    """
    if subsets == 0 or len(outputs) == 0 or len(outputs) % subsets:
        raise UserError(
            f"outputs: found those of {len(outputs)} models for {subsets} subsets; allowed: as many seeds of every "
            "subset; give the outputs of all shards of one bank, once each"
        )
    return outputs.reshape(subsets, -1, outputs.shape[1])


def standard_ranks(values: np.ndarray) -> np.ndarray:
    """Rank along the first axis (ties averaged), centre, and scale to length 1; something constant becomes 0."""
    ranks = rankdata(values, axis=0)
    ranks -= ranks.mean(axis=0)
    length = np.sqrt((ranks * ranks).sum(axis=0))
    return np.divide(ranks, length, out=np.zeros_like(ranks), where=length > 0)


def lds_per_target(predicted: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Compute the Spearman correlation over subsets, ties averaged, for every target.

    A prediction that is the same for every subset (all scores 0, say) tells nothing and has LDS 0 by definition here,
    where the correlation itself has no value; so has a target whose output never changes.

    Args:
        predicted: (subsets × targets), at least 2 subsets.
        outputs: (subsets × targets), the mean over seeds.

    Returns:
        float64 (targets,), each in [-1, 1].
    """
    return (standard_ranks(predicted) * standard_ranks(outputs)).sum(axis=0)


def reliability(outputs: np.ndarray) -> np.ndarray:
    """Compute how well one retraining of the subsets predicts another: the mean Spearman correlation of pairs of seeds.

    Args:
        outputs: (subsets × seeds × targets), at least 2 seeds.

    Returns:
        float64 (targets,). Of a target that mostly shows the noise of training it can come out below 0.
    """
    seeds = outputs.shape[1]
    ranks = standard_ranks(outputs)
    # |sum of unit vectors|^2 holds every pair twice, and each vector with itself once
    own = (ranks * ranks).sum(axis=(0, 1))
    return ((ranks.sum(axis=1) ** 2).sum(axis=0) - own) / (seeds * (seeds - 1))


def noise_ceiling(outputs: np.ndarray) -> float:
    """Estimate the LDS of a perfect predictor: one that knows the expected output of every subset.

    An output is the expected output of the subset plus the noise of one training. With r the correlation of two
    independent trainings (``reliability``), the mean of S seeds has reliability R = S r / (1 + (S - 1) r)
    (Spearman-Brown), and correlates by sqrt(R) with the expected output. No scores can do better on average; R itself,
    which is lower, is what a second bank of the same size would reach. (The formula is for linear correlations; for
    normal outputs those of ranks differ from them by less than .02.)

    sqrt(R) is concave, so it matters where the mean over targets is taken. Correcting each target's r lets the noise in
    r pull the ceiling down, and a negative r has no root; correcting the mean r sets it too high where targets differ
    (by .07 with r spread evenly over 0 to .8). So every r is first drawn towards the mean until their variance is the
    true one, the observed less that of sampling, which the two halves of the subsets tell; then come R, its root and
    the mean.

    Args:
        outputs: (subsets × seeds × targets).

    Returns:
        The ceiling in [0, 1]; nan with one seed a subset, or fewer than 4 subsets.
    """
    if outputs.shape[1] < 2 or outputs.shape[0] < 4:
        return float("nan")
    seeds = outputs.shape[1]
    r = reliability(outputs)
    halves = reliability(outputs[::2]) - reliability(outputs[1::2])
    observed, sampling = r.var(), (halves**2).mean() / 4
    shrink = np.sqrt(max(0.0, 1 - sampling / observed)) if observed > 0 else 0.0
    r = np.clip(r.mean() + shrink * (r - r.mean()), 0, 1)
    return float(np.sqrt(seeds * r / (1 + (seeds - 1) * r)).mean())


class LdsTables(NamedTuple):
    """The tables of one evaluation."""

    lds: pd.DataFrame
    targets: pd.DataFrame
    pairs: pd.DataFrame


def evaluate(
    predictions: Mapping[str, np.ndarray],
    outputs: np.ndarray,
    targets: pd.DataFrame,
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
    records: Mapping[str, Mapping] | None = None,
    steps_only: Collection[str] = (),
) -> LdsTables:
    """Evaluate several methods on the same subsets, targets and resamples, group by group (`trakway.targets.groups`).

    Args:
        predictions: name of the method → (subsets × evaluated entries), as ``predicted`` returns it.
        outputs: (subsets × seeds × evaluated entries) outputs of the retrained models.
        targets: the table of targets, the evaluated entries first.
        seed: the experiment's seed, for the resamples: all groups share those of the subsets, and groups of as many
            targets those of the targets.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).
        records: name of the method → ``members``, ``dim`` and ``ridge`` to note beside it; what is missing stays empty.
        steps_only: methods made for a step of a trajectory: left out of groups without a timestep.

    Returns:
        ``lds``: a row a group and method (``COLUMNS``; ``ceiling`` is the same within a group, ``targets`` counts the
        group's entries). ``targets``: ``TARGET_COLUMNS``, target as in the table. ``pairs``: ``PAIR_COLUMNS``, every
        two methods of a group, the better one first.

    Raises:
        UserError: an output or a prediction is not finite.
    """
    outputs = _checked(predictions, outputs, targets)
    rows, long, pairs = [], [], []
    for group in groups(targets):
        listed = [name for name in predictions if group.timestep is not None or name not in steps_only]
        found = _measure({name: predictions[name] for name in listed}, outputs, targets, group, seed, resamples)
        lds = {name: float(values.mean()) for name, values in found.per_target.items()}
        key, ceiling = (group.kind, group.timestep), found.ceiling
        numbers = targets["target"].to_numpy()[group.positions]
        for name in listed:
            bounds = interval(found.samples[name], level)
            over = lds[name] / ceiling if ceiling > 0 else float("nan")
            noted = [(records or {}).get(name, {}).get(column) for column in ("members", "dim", "ridge")]
            rows.append((*key, name, lds[name], *bounds, ceiling, over, *outputs.shape[:2], *noted, len(numbers)))
            long += [(*key, name, *values) for values in zip(numbers, found.per_target[name], strict=True)]
        pairs += [(*key, *pair) for pair in _pairs(lds, found.samples, level)]
    return LdsTables(
        pd.DataFrame(rows, columns=COLUMNS).astype(
            {"timestep": "Int64", "members": "Int64", "dim": "Int64", "ridge": "float64"}
        ),
        pd.DataFrame(long, columns=TARGET_COLUMNS).astype({"timestep": "Int64"}),
        pd.DataFrame(pairs, columns=PAIR_COLUMNS).astype({"timestep": "Int64"}),
    )


def evaluate_pooled(
    predictions: Mapping[str, np.ndarray],
    outputs: np.ndarray,
    targets: pd.DataFrame,
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> pd.DataFrame:
    """Evaluate several methods over all steps of the trajectories at once: the mean over generated images and steps.

    The arguments are those of ``evaluate``. Where nothing has a timestep, this is the LDS of the first group: of
    classification's only one. A resample draws an image with all its steps, which are no independent sample.

    Returns:
        A row a method, in their order: method, lds, lds_low, lds_high, ceiling.

    Raises:
        UserError: an output or a prediction is not finite.
        ValueError: the steps do not hold the same images in the same order.
    """
    outputs = _checked(predictions, outputs, targets)
    every = groups(targets)
    steps = [group for group in every if group.kind == "generated" and group.timestep is not None] or every[:1]
    images = [targets["target"].to_numpy()[group.positions] for group in steps]
    if any(not np.array_equal(numbers, images[0]) for numbers in images):
        raise ValueError("targets: the steps of the trajectories do not hold the same images in the same order")
    # Groups of the same images share the resamples of images, so that their means are those of drawn images.
    found = [_measure(predictions, outputs, targets, group, seed, resamples) for group in steps]
    ceiling = float(np.mean([part.ceiling for part in found]))
    rows = []
    for name in predictions:
        lds = float(np.mean([part.per_target[name].mean() for part in found]))
        rows.append((name, lds, *interval(np.mean([part.samples[name] for part in found], axis=0), level), ceiling))
    return pd.DataFrame(rows, columns=["method", "lds", "lds_low", "lds_high", "ceiling"])


def turned_round(table: pd.DataFrame) -> list[str]:
    """Say of which methods the sign looks turned round: the LDS is negative everywhere, somewhere beyond its interval.

    Args:
        table: ``lds`` of `evaluate`.
    """
    said = []
    for name, rows in table.groupby("method", sort=False):
        worst = rows.loc[rows["lds_high"].idxmin()]
        if (rows["lds"] < 0).all() and worst["lds_high"] < 0:
            said.append(
                f"{name}: LDS {worst['lds']:.2f} [{worst['lds_low']:.2f}, {worst['lds_high']:.2f}] is below 0 beyond "
                "its interval. A positive score must mean that training on the example raises the target's output; "
                "if it means the opposite there, give minus the scores"
            )
    return said


class _Measured(NamedTuple):
    """What one group of targets tells of every method.

    Attributes:
        per_target: name of the method → LDS (targets,).
        samples: name of the method → bootstrapped mean LDS (resamples,).
        ceiling: of the group.
    """

    per_target: dict[str, np.ndarray]
    samples: dict[str, np.ndarray]
    ceiling: float


def _measure(
    predictions: Mapping[str, np.ndarray],
    outputs: np.ndarray,
    targets: pd.DataFrame,
    group: Group,
    seed: int,
    resamples: int,
) -> _Measured:
    """Measure every method on one group of targets."""
    numbers = targets["target"].to_numpy()[group.positions]
    outputs = outputs[:, :, group.positions]
    predictions = {name: values[:, group.positions] for name, values in predictions.items()}
    _require_finite("outputs of the retrained models", outputs.reshape(-1, outputs.shape[2]), group, numbers)
    for name, values in predictions.items():
        _require_finite(f"scores of {name}", values, group, numbers)
    mean = outputs.mean(axis=1)
    per_target = {name: lds_per_target(values, mean) for name, values in predictions.items()}
    samples = bootstrap_lds(predictions.values(), mean, seed=seed, resamples=resamples)
    return _Measured(per_target, dict(zip(predictions, samples, strict=True)), noise_ceiling(outputs))


def _pairs(lds: Mapping[str, float], samples: Mapping[str, np.ndarray], level: float) -> list[tuple]:
    """Set every two methods against each other, the better one first."""
    ranked = sorted(lds, key=lambda name: -lds[name])
    return [
        (first, second, *paired_difference(lds[first], lds[second], samples[first], samples[second], level))
        for place, first in enumerate(ranked)
        for second in ranked[place + 1 :]
    ]


def _checked(predictions: Mapping[str, np.ndarray], outputs: np.ndarray, targets: pd.DataFrame) -> np.ndarray:
    """Return the outputs as float64 if they, the predictions and the table speak of the same subsets and entries."""
    subsets, _, entries = outputs.shape
    evaluated = int((targets["role"] == "evaluation").sum())
    if entries != evaluated:
        raise ValueError(f"outputs are of {entries} entries, but {evaluated} are evaluated")
    for name, prediction in predictions.items():
        if prediction.shape != (subsets, entries):
            raise ValueError(f"{name}: predictions are {prediction.shape}, outputs {(subsets, entries)}")
    return np.asarray(outputs, dtype=np.float64)


def _require_finite(what: str, values: np.ndarray, group: Group, numbers: np.ndarray) -> None:
    """Stop at the first target (column) that holds a number that is not finite."""
    bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
    if len(bad):
        where = group.kind if group.timestep is None else f"{group.kind}, timestep {group.timestep}"
        raise UserError(
            f"{what} ({where}): not finite (nan or inf) for {len(bad)} of {values.shape[1]} targets, first target "
            f"{numbers[bad[0]]}. Only finite numbers can be ranked: look for a model whose training diverged "
            "(tables/models.csv), lower training.learning_rate, or raise scores.ridge."
        )
