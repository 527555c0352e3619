"""The LDS at a fixed seed: do scores predict one run without some of its examples, dropped at their place?"""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from trakway.metrics.lds import by_subset, evaluate, predicted
from trakway.report.tables import Table

TABLE = Table(
    section="LDS",
    caption=(
        "The LDS at a fixed seed, by the share of examples that are dropped: models that share everything with one "
        "training run but the examples which they do without."
    ),
    reads={
        "scores": "scores/{method}.npy",
        "records": "scores/{method}.json",
        "targets": "targets/targets.parquet",
        "subsets": "subsets/fixed.npy",
        "outputs": "outputs/fixed/{shard}.npy",
    },
    settings={
        "dropped": "bank.fixed.dropped",
        "seed": "seed",
        "resamples": "lds.resamples",
        "level": "lds.level",
        "steps_only": "{steps_only}",
    },
    given="bank.fixed",
    beside={
        "lds_fixed_pairs": (
            "Differences in LDS at a fixed seed between every two methods on the same resamples, with intervals."
        )
    },
)


def make(
    scores: Mapping[str, np.ndarray],
    records: Mapping[str, dict],
    targets: pd.DataFrame,
    subsets: np.ndarray,
    outputs: Mapping[str, np.ndarray],
    dropped: list[float],
    seed: int,
    resamples: int,
    level: float,
    steps_only: Collection[str] = (),
) -> dict[str, pd.DataFrame]:
    """Make both tables: those of `trakway.validation.lds` for each share, which stands in the column ``dropped``.

    Args:
        scores: as there.
        records: as there.
        targets: as there.
        subsets: bool (shares * subsets × n) of the bank, share by share.
        outputs: by shard, of its models, one a subset.
        dropped: the shares of the training set that the subsets lack, in order.
        seed: as there.
        resamples: as there.
        level: as there.
        steps_only: as there.
    """
    evaluated = len(next(iter(scores.values())))
    every = by_subset(np.concatenate([*outputs.values()]), len(subsets))[:, :, :evaluated]
    size, tables = len(subsets) // len(dropped), {"lds_fixed": [], "lds_fixed_pairs": []}
    for number, share in enumerate(dropped):
        part = slice(number * size, (number + 1) * size)
        found = evaluate(
            {name: predicted(values, subsets[part]) for name, values in scores.items()},
            every[part],
            targets,
            seed=seed,
            resamples=resamples,
            level=level,
            records=records,
            steps_only=steps_only,
        )
        for name, table in (("lds_fixed", found.lds), ("lds_fixed_pairs", found.pairs)):
            tables[name].append(table.assign(dropped=share))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
