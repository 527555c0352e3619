"""Captions exchanged: the same x_t attributed under another caption, along the trajectory.

What differs between the two attributions is what the model reads. While the noise is high the caption decides what the
picture becomes, and the named examples should be of its class, whichever it is; once the picture has formed, of the
class that is seen.
"""

from collections.abc import Mapping
from difflib import SequenceMatcher

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from trakway.metrics.intervals import interval
from trakway.report.tables import Table
from trakway.validation.removal import Resamples

TABLE = Table(
    section="Captions",
    caption=(
        "The same x_t under its own caption and under one of another class: rank correlation of the main method's "
        "scores over training examples, and the share of the most helpful examples whose class is that of the own and "
        "of the other caption, beside the share of that class in the training set; means over samples with intervals."
    ),
    reads={
        "scores": "scores/{main}.npy",
        "targets": "targets/targets.parquet",
        "examples": "data/examples.parquet",
        "outputs": "outputs/reference/{shard}.npy",
    },
    settings={
        "fraction": "removal.compare_fraction",
        "seed": "seed",
        "resamples": "lds.resamples",
        "level": "lds.level",
    },
    needs=("caption",),
    beside={
        "caption_words": (
            "By sample: which words were exchanged, the rank correlation of the scores, and the reference model's "
            "output of its expectation under either caption."
        )
    },
)

MEASURES = ("correlation", "own_class", "own_chance", "other_class", "other_chance")


def make(
    scores: np.ndarray,
    targets: pd.DataFrame,
    examples: pd.DataFrame,
    outputs: Mapping[str, np.ndarray],
    fraction: float,
    seed: int,
    resamples: int,
    level: float,
) -> dict[str, pd.DataFrame]:
    """Make both tables.

    Args:
        scores: (entries, n) of the main method.
        targets: their table; entries of the kind ``exchanged`` have in ``row`` the sample that they are of.
        examples: of the training set and the test split: ``split`` and ``label``.
        outputs: by shard, of the reference models on the evaluated entries, (models, entries); the first model counts.
        fraction: share of the training set that counts as most helpful.
        seed: the experiment's seed, for the resamples.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).

    Returns:
        ``caption_exchange``: a row for the whole image (no timestep) and each timestep: the measures with intervals
        over samples, ``k`` and ``samples``. ``caption_words``: a row for each sample and timestep.
    """
    labels = examples.loc[examples["split"] == "train", "label"].to_numpy()
    k, first = max(1, round(fraction * len(labels))), next(iter(outputs.values()))[0]
    columns = ["sample", "timestep", "caption", "other", "words", *MEASURES, "output", "other_output"]
    rows = []
    targets = targets.reset_index(names="entry")
    own = targets[(targets["kind"] == "generated") & (targets["role"] == "evaluation") & (targets["patch"] == "")]
    for other in targets[targets["kind"] == "exchanged"].itertuples():
        at = own["timestep"].isna() if pd.isna(other.timestep) else own["timestep"] == other.timestep
        (one,) = own[at & (own["target"] == other.row)].itertuples()
        found = scores[one.entry], scores[other.entry]
        # Of a typed caption nobody knows the class.
        shares = [*_shares(found[0], labels, one.label, k), *_shares(found[1], labels, other.label, k)]
        known = (other.row, other.timestep, one.caption, other.caption, exchanged_words(one.caption, other.caption))
        rows.append((*known, spearmanr(*found).statistic, *shares, first[one.entry], first[other.entry]))
    words = pd.DataFrame(rows, columns=columns).astype({"timestep": "Int64"})
    return {"caption_exchange": _means(words, k, Resamples(seed, resamples), level), "caption_words": words}


def _shares(scores: np.ndarray, labels: np.ndarray, label: int, k: int) -> tuple[float, float]:
    """Return the share of a class (-1: of none, NaN) among the k most helpful examples, and among all."""
    if label < 0:
        return np.nan, np.nan
    helpful = np.argsort(-scores, kind="stable")[:k]
    return (labels[helpful] == label).mean(), (labels == label).mean()


def exchanged_words(one: str, other: str) -> str:
    """Return which words of a caption stand in the place of which of another, e.g. ``coat → bag``."""
    words, others = one.split(), other.split()
    changes = SequenceMatcher(None, words, others, autojunk=False).get_opcodes()
    parts = [(words[a:b], others[c:d]) for kind, a, b, c, d in changes if kind != "equal"]
    return ", ".join(f"{' '.join(old)} → {' '.join(new)}".strip() for old, new in parts)


def _means(words: pd.DataFrame, k: int, resampled: Resamples, level: float) -> pd.DataFrame:
    rows = []
    for timestep, part in words.groupby("timestep", dropna=False):
        row = {"timestep": timestep, "samples": len(part), "k": k}
        for name in MEASURES:
            values = part[name].dropna().to_numpy(np.float64)
            row[name] = values.mean() if len(values) else np.nan
            if not name.endswith("chance"):
                shares = resampled.shares("samples", len(values))
                means = resampled.means(values[None], shares) if len(values) else np.array([np.nan])
                row[f"{name}_low"], row[f"{name}_high"] = interval(means, level)
        rows.append(row)
    spread = [f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high")]
    columns = ["timestep", *(name for name in spread if not rows or name in rows[0]), "samples", "k"]
    return pd.DataFrame(rows, columns=columns).astype({"timestep": "Int64"})
