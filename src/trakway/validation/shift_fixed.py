"""Distribution shift at a fixed seed: completions of a differentiated run, and of what it would have been without."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from trakway.plan import subsets_of
from trakway.report.tables import Table
from trakway.validation import shift

TABLE = Table(
    section="Shift",
    caption=(
        "The same distances where the models after removal share everything with the first differentiated run but the "
        "examples that they do without, dropped at their place: what retraining alone moves is not in them."
    ),
    reads={
        "index": "completions/{reference_fixed,removal_fixed}/{shard}/index.parquet",
        "features": "completions/{reference_fixed,removal_fixed}/{shard}/features.npy",
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
    given="removal.fixed",
    beside={
        "shift_fixed_pairs": (
            "Differences in these distances at a fixed seed between every two methods on the same resamples, with "
            "intervals; above 0 where the first moves completions further."
        )
    },
)


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
    """Make the tables of `trakway.validation.shift` of the first differentiated run; arguments as there."""
    runs, first = removal["fixed"], {}
    for shard, table in index.items():
        kept = table[table["model"] % runs == 0]
        named = kept.assign(ensemble=kept["ensemble"].map(subsets_of), model=kept["model"] // runs)
        first[shard] = named, features[shard][kept.index]
    tables, values = ({shard: pair[place] for shard, pair in first.items()} for place in (0, 1))
    counts = {"seeds": 1, "reference": 1}
    found = shift.make(tables, values, rows, removal | counts, dataset, classifier, seed, resamples, level)
    return {"shift_fixed": found["shift"], "shift_fixed_pairs": found["shift_pairs"]}
