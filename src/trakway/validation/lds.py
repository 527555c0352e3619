"""The linear datamodeling score (LDS; Park et al., 2023, TRAK, definition 2.4) and the highest value it can take.

The LDS of a target is the Spearman correlation, over random training subsets, between what the scores predict (the sum
of the scores of the subset's examples) and what retraining on the subset gives (the mean output over a few seeds).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from trakway.errors import UserError
from trakway.validation.intervals import bootstrap_lds, interval, paired_difference

TILE = 1024  # columns added up in one matrix product: fixed, so that no block size changes a bit of the sums
TARGETS_AT_ONCE = 512

COLUMNS = ["method", "timestep", "lds", "lds_low", "lds_high", "ceiling", "subsets", "seeds", "members", "dim", "ridge"]


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
    """Reshape outputs (models × targets), model = subset * seeds + seed, to (subsets × seeds × targets).

    Raises:
        ValueError: the number of models is no multiple of the number of subsets.
    """
    models, targets = outputs.shape
    if models == 0 or models % subsets:
        raise ValueError(f"{models} models are no whole number of seeds for {subsets} subsets")
    return outputs.reshape(subsets, models // subsets, targets)


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
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
    records: Mapping[str, Mapping] | None = None,
    timestep: int | None = None,
) -> LdsTables:
    """Evaluate several methods on the same subsets, targets and resamples.

    Args:
        predictions: name of the method → (subsets × targets), as ``predicted`` returns it.
        outputs: (subsets × seeds × targets) outputs of the retrained models, see ``by_subset``.
        seed: the experiment's seed, for the resamples.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).
        records: name of the method → ``members``, ``dim`` and ``ridge`` to note beside it; what is missing stays empty.
        timestep: of the diffusion target, to note beside it.

    Returns:
        ``lds``: a row a method (``COLUMNS``; ``ceiling`` is the same for all). ``targets``: method, target, lds.
        ``pairs``: method, against, difference, difference_low, difference_high, share; every two methods, the better
        one first.

    Raises:
        UserError: an output or a prediction is not finite.
    """
    outputs = np.asarray(outputs, dtype=np.float64)
    subsets, seeds, targets = outputs.shape
    _require_finite("outputs of the retrained models", outputs.reshape(subsets * seeds, targets))
    for name, prediction in predictions.items():
        if prediction.shape != (subsets, targets):
            raise ValueError(f"{name}: predictions are {prediction.shape}, outputs {(subsets, targets)}")
        _require_finite(f"scores of {name}", prediction)
    mean = outputs.mean(axis=1)
    per_target = {name: lds_per_target(prediction, mean) for name, prediction in predictions.items()}
    lds = {name: float(values.mean()) for name, values in per_target.items()}
    samples = dict(
        zip(
            predictions,
            bootstrap_lds(predictions.values(), mean, seed=seed, resamples=resamples),
            strict=True,
        )
    )
    shared = {"timestep": timestep, "ceiling": noise_ceiling(outputs), "subsets": subsets, "seeds": seeds}
    rows = []
    for name in predictions:
        low, high = interval(samples[name], level)
        noted = {key: (records or {}).get(name, {}).get(key) for key in ("members", "dim", "ridge")}
        rows.append({"method": name, "lds": lds[name], "lds_low": low, "lds_high": high, **shared, **noted})
    table = pd.DataFrame(rows, columns=COLUMNS).astype(
        {"timestep": "Int64", "members": "Int64", "dim": "Int64", "ridge": "float64"}
    )
    long = [
        pd.DataFrame({"method": name, "target": np.arange(targets), "lds": values})
        for name, values in per_target.items()
    ]
    return LdsTables(table, pd.concat(long, ignore_index=True), _pairs(lds, samples, level))


def _pairs(lds: Mapping[str, float], samples: Mapping[str, np.ndarray], level: float) -> pd.DataFrame:
    """Set every two methods against each other, the better one first."""
    ranked = sorted(lds, key=lambda name: -lds[name])
    rows = [
        (first, second, *paired_difference(lds[first], lds[second], samples[first], samples[second], level))
        for place, first in enumerate(ranked)
        for second in ranked[place + 1 :]
    ]
    columns = ["method", "against", "difference", "difference_low", "difference_high", "share"]
    return pd.DataFrame(rows, columns=columns)


def _require_finite(what: str, values: np.ndarray) -> None:
    """Stop at the first target (column) that holds a number that is not finite."""
    bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
    if len(bad):
        raise UserError(
            f"{what}: not finite (nan or inf) for {len(bad)} of {values.shape[1]} targets, first target {bad[0]}. "
            "Only finite numbers can be ranked: look for a model whose training diverged (tables/models.csv), lower "
            "training.learning_rate, or raise scores.ridge."
        )
