"""The linear datamodeling score of every method, with intervals and the noise ceiling."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from trakway.metrics.lds import by_subset, evaluate, predicted, turned_round
from trakway.report.tables import Table

TABLE = Table(
    section="LDS",
    caption=(
        "The LDS of every method with its interval, the noise ceiling, and what it used: subsets and seeds of the "
        "evaluation bank, members, projection dimension, and the ridge, which was chosen on held-out targets with "
        "other subsets."
    ),
    reads={
        "scores": "scores/{method}.npy",
        "records": "scores/{method}.json",
        "targets": "targets/targets.parquet",
        "subsets": "subsets/evaluation.npy",
        "outputs": "outputs/evaluation/{shard}.npy",
    },
    settings={"seed": "seed", "resamples": "lds.resamples", "level": "lds.level", "steps_only": "{steps_only}"},
    beside={
        "lds_pairs": (
            "Differences in LDS between every two methods on the same resamples, with intervals; ``share`` is the "
            "share of resamples in which the first one is better."
        ),
        "lds_targets": "",
    },
)


def make(
    scores: Mapping[str, np.ndarray],
    records: Mapping[str, dict],
    targets: pd.DataFrame,
    subsets: np.ndarray,
    outputs: Mapping[str, np.ndarray],
    seed: int,
    resamples: int,
    level: float,
    steps_only: Collection[str] = (),
) -> dict[str, pd.DataFrame]:
    """Evaluate the scores of all methods, see `trakway.metrics.lds.evaluate`.

    Args:
        scores: name of the method → (evaluated entries × n).
        records: name of the method → what it used.
        targets: the table of targets.
        subsets: bool (subsets × n) of the evaluation bank.
        outputs: by shard: (models × entries), models = subsets * seeds, the evaluated entries first.
        seed: the experiment's seed, for the resamples.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).
        steps_only: methods that mean nothing for a whole image.
    """
    evaluated = len(next(iter(scores.values())))
    found = evaluate(
        {name: predicted(values, subsets) for name, values in scores.items()},
        by_subset(np.concatenate([*outputs.values()]), len(subsets))[:, :, :evaluated],
        targets,
        seed=seed,
        resamples=resamples,
        level=level,
        records=records,
        steps_only=steps_only,
    )
    for said in turned_round(found.lds):
        print(f"note: {said}")
    return {"lds": found.lds, "lds_pairs": found.pairs, "lds_targets": found.targets}
