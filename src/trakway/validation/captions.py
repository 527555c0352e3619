"""Caption agreement: does what models draw show what they were told, in the eyes of the domain's classifier?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from trakway.metrics.intervals import interval
from trakway.report.tables import Table
from trakway.validation.removal import Resamples

TABLE = Table(
    section="Captions",
    caption=(
        "Probability that the domain's classifier gives to the class of the caption, on samples of the reference model "
        "(interval over samples) and of the bank (interval over models), by class and over all; and the share of "
        "samples for which it is the most probable class."
    ),
    reads={
        "prompts": "captions/reference/{shard}/prompts.parquet",
        "reference": "captions/reference/{shard}/probabilities.npy",
        "bank": "captions/evaluation/{shard}/probabilities.npy",
        "data": "data/meta.json",
    },
    settings={"seed": "seed", "resamples": "lds.resamples", "level": "lds.level"},
    needs=("caption",),
)

COLUMNS = ["model", "caption", "agreement", "agreement_low", "agreement_high", "most_probable", "samples", "models"]
ALL = "all"


def make(
    prompts: Mapping[str, pd.DataFrame],
    reference: Mapping[str, np.ndarray],
    bank: Mapping[str, np.ndarray],
    data: dict,
    seed: int,
    resamples: int,
    level: float,
) -> pd.DataFrame:
    """Make the table.

    Args:
        prompts: by shard, in each the same: ``label`` of what each sample was told, (samples,).
        reference: by shard, probabilities of the classes, (models, samples, classes); the first model counts.
        bank: likewise of the models on half subsets, all of which count, on as many of the first samples as there are.
        data: what is known of the data set: ``classes``.
        seed: the experiment's seed, for the resamples.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).

    Returns:
        ``COLUMNS``, of each model (``reference``, ``bank``) a row for ``all``, and below it one for each class of
        captions, by its label; the place tells the first from a class that is called ``all``.
    """
    labels = next(iter(prompts.values()))["label"].to_numpy()
    first, every = next(iter(reference.values()))[:1], np.concatenate(list(bank.values()))
    resampled = Resamples(seed, resamples)
    rows = []
    for name, probabilities in (("reference", first), ("bank", every)):
        told = labels[: probabilities.shape[1]]
        for label in (None, *np.unique(told)):
            kept = np.flatnonzero(told == label) if label is not None else np.arange(len(told))
            given = probabilities[:, kept, told[kept]].astype(np.float64)  # (models, samples)
            units = given[0] if name == "reference" else given.mean(1)
            means = resampled.means(units[None], resampled.shares(f"{name} {label}", len(units)))
            low, high = interval(means, level)
            right = (probabilities[:, kept].argmax(2) == told[kept]).mean()
            caption = ALL if label is None else data["classes"][label]
            rows.append((name, caption, given.mean(), low, high, right, len(kept), len(given)))
    return pd.DataFrame(rows, columns=COLUMNS)
