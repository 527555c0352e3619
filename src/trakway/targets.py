"""Which test examples are explained."""

import numpy as np
import pandas as pd

from trakway import seeds
from trakway.errors import UserError


def draw_targets(labels: np.ndarray, count: int, tuning: int, seed: int) -> pd.DataFrame:
    """Draw targets from the test split without replacement.

    Args:
        labels: of the test split.
        count: evaluated targets.
        tuning: held-out targets, used to choose ridge and soft threshold and for nothing else.
        seed: the experiment's seed.

    Returns:
        Columns ``target`` (position), ``row`` (in the test split), ``role`` (evaluation or tuning), ``label``; the
        evaluated ones first. Either group is the same whatever the size of the other.

    Raises:
        UserError: the test split is too small.
    """
    if count + tuning > len(labels):
        raise UserError(
            f"targets: found count {count} + tuning {tuning}, allowed: {len(labels)} in all, the size of the test "
            "split; lower them or raise dataset.test_size"
        )
    order = seeds.generator(seed, "targets").permutation(len(labels))
    # One from each end: neither group depends on the size of the other.
    rows = np.concatenate([order[:count], order[len(order) - tuning :]])
    return pd.DataFrame(
        {
            "target": np.arange(len(rows)),
            "row": rows,
            "role": ["evaluation"] * count + ["tuning"] * tuning,
            "label": labels[rows],
        }
    )
