"""The way back: from a training example to the entries that it moves most."""

import numpy as np

from trakway.explorer.packing import packed, singles
from trakway.explorer.rankings import ranks

MOST = 6  # entries of either side
A_FILE = 500  # examples a file


def most_moved(scores: np.ndarray, count: int = MOST) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find for each training example the entries that it helps most and those that it harms most.

    Scores of two entries, of two timesteps say, have units of their own. So they are compared in units of the standard
    deviation of their entry's scores over all examples.

    Args:
        scores: (entries × n), may be a memory map.
        count: entries of either side, at most half of them.

    Returns:
        Positions of the entries (n × 2·count), from the one helped most to the one harmed most; the scores there, and
        the ranks of the example among all, from 0, the most helpful.
    """
    scores = np.asarray(scores, np.float32)
    count = min(count, len(scores) // 2)
    spread = scores.std(axis=1, dtype=np.float64)
    order = np.argsort(-(scores / np.where(spread > 0, spread, 1)[:, None]), axis=0, kind="stable").T
    chosen = np.concatenate([order[:, :count], order[:, len(scores) - count :]], axis=1)
    every = np.stack([ranks(row) for row in scores])
    example = np.arange(scores.shape[1])[:, None]
    return chosen, scores[chosen, example], every[chosen, example]


def reverse_data(entries: np.ndarray, scores: np.ndarray, ranked: np.ndarray, width: dict[str, int]) -> dict:
    """Pack what `most_moved` gives of a few examples; ``width`` says how many bits ``entries`` and ``ranks`` take."""
    return {
        "each": entries.shape[1],
        "entries": packed(entries, width["entries"]),
        "ranks": packed(ranked, width["ranks"]),
        "scores": singles(scores),
    }
