"""Removal at a fixed seed: what a differentiated run would have been without the examples that a method names."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from trakway.report.tables import Table
from trakway.validation import removal

TABLE = Table(
    section="Removal",
    caption=(
        "Change of the output, and flips, where the models after removal share everything with the differentiated runs "
        "but the examples that they do without, dropped at their place: no noise of retraining is in it."
    ),
    reads={
        "reference": "outputs/reference_fixed/{shard}.npy",
        "outputs": "outputs/removal_fixed/{shard}.npy",
        "rows": "subsets/removal.parquet",
        "targets": "targets/targets.parquet",
    },
    settings={
        "timesteps": "removal.timesteps",
        "seed": "seed",
        "resamples": "lds.resamples",
        "level": "lds.level",
        "border": "{border}",
    },
    given="removal.fixed",
    beside={
        "removal_fixed_pairs": (
            "Differences in the change of the output at a fixed seed between every two methods on the same resamples, "
            "with intervals; below 0 where the first lowers it more."
        )
    },
)


def make(
    reference: Mapping[str, np.ndarray],
    outputs: Mapping[str, np.ndarray],
    rows: pd.DataFrame,
    targets: pd.DataFrame,
    timesteps: Sequence[int] | None,
    seed: int,
    resamples: int,
    level: float,
    border: bool,
) -> dict[str, pd.DataFrame]:
    """Make the tables of `trakway.validation.removal` of these models, seed for seed; arguments as there."""
    found = removal.make(reference, outputs, rows, targets, timesteps, seed, resamples, level, border, paired=True)
    return {"removal_fixed": found["removal"], "removal_fixed_pairs": found["removal_pairs"]}
