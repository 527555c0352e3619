"""The training examples that helped and harmed a target most."""

import numpy as np
import pandas as pd


def extremes(scores: np.ndarray, targets: np.ndarray, count: int) -> pd.DataFrame:
    """Find the training examples with the highest and the lowest scores.

    Args:
        scores: (all targets × n), may be a memory map; only the rows asked for are read.
        targets: positions of the targets to show.
        count: how many of each side; at most n // 2 are taken.

    Returns:
        Columns target, side ("helpful" | "harmful"), rank (0: the most extreme), row (training example), score.
    """
    rows = []
    for target in targets:
        values = np.asarray(scores[target], dtype=np.float64)
        order = np.argsort(-values, kind="stable")
        count = min(count, len(order) // 2)
        for side, picked in (("helpful", order[:count]), ("harmful", order[::-1][:count])):
            rows += [(int(target), side, rank, int(row), values[row]) for rank, row in enumerate(picked)]
    return pd.DataFrame(rows, columns=["target", "side", "rank", "row", "score"])
