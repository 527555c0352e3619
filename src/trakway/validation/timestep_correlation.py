"""How much the attributions of one image at two steps of its trajectory have in common."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd

from trakway.errors import UserError
from trakway.metrics.intervals import draw, interval
from trakway.metrics.lds import standard_ranks
from trakway.report.tables import Table
from trakway.targets.table import groups

TABLE = Table(
    section="Journey",
    caption="Rank correlation between the attributions of two steps of the same journey, with intervals over samples.",
    reads={"scores": "scores/{per_step}.npy", "targets": "targets/targets.parquet"},
    settings={"seed": "seed", "resamples": "lds.resamples", "level": "lds.level"},
    needs=("steps",),
)

COLUMNS = ["method", "timestep", "other", "correlation", "correlation_low", "correlation_high", "targets"]


def make(
    scores: Mapping[str, np.ndarray],
    targets: pd.DataFrame,
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> pd.DataFrame:
    """Correlate the scores of every two timesteps of the generated images.

    Args:
        scores: name of the method → (evaluated entries × n), of methods whose scores differ from step to step.
        targets: the table of targets.
        seed: the experiment's seed, for the resamples.
        resamples: how many bootstrap resamples.
        level: of the intervals, in (0, 1).

    Returns:
        A row for each method and ordered pair of timesteps (``COLUMNS``): the Spearman correlation over training
        examples (ties averaged; 0 with something constant), averaged over ``targets`` images, with an interval over
        images. A timestep's correlation with itself is 1.

    Raises:
        UserError: a score is not finite.
        ValueError: the timesteps do not hold the same images in the same order.
    """
    steps = [group for group in groups(targets) if group.kind == "generated" and group.timestep is not None]
    if not steps:
        return pd.DataFrame(columns=COLUMNS)
    rows = np.stack([step.positions for step in steps], axis=1)
    images = targets["target"].to_numpy()[rows]
    if (images != images[:, :1]).any():
        raise ValueError("targets: the steps of the trajectories do not hold the same images in the same order")
    counts = draw(seed, "timesteps/targets", len(rows), resamples)
    table = []
    for method in scores:
        found = np.stack([_correlations(method, scores[method], of_image) for of_image in rows])
        for (first, one), (second, other) in product(enumerate(steps), repeat=2):
            values = found[:, first, second]
            low, high = interval(values @ counts / len(rows), level)
            table.append((method, one.timestep, other.timestep, values.mean(), low, high, len(rows)))
    return pd.DataFrame(table, columns=COLUMNS)


def _correlations(method: str, scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Correlate the score vectors in ``rows`` with each other: (rows × rows)."""
    values = np.asarray(scores[rows], dtype=np.float64)
    if not np.isfinite(values).all():
        raise UserError(
            f"scores of {method}: not finite (nan or inf) in one of rows {rows.tolist()}; compute the scores of this"
            " method again, or raise scores.ridge"
        )
    ranks = standard_ranks(values.T)
    found = ranks.T @ ranks
    np.fill_diagonal(found, 1.0)
    return found
