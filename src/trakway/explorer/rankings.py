"""Scores of an entry as a page needs them: the most helpful and most harmful examples of every method, and the rest."""

from collections.abc import Mapping

import numpy as np

from trakway.explorer.packing import bits, decimals, packed, width_of

SHOWN = 100  # examples of either side
BINS = 40


def ranks(scores: np.ndarray) -> np.ndarray:
    """Return the rank of every example, from 0, the most helpful, of equal scores the first: int64 (n,)."""
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    found = np.empty(len(order), np.int64)
    found[order] = np.arange(len(order))
    return found


def entry_data(scores: Mapping[str, np.ndarray], ranked: Mapping[str, np.ndarray], shown: int = SHOWN) -> dict:
    """Pack the scores of one entry.

    Args:
        scores: name of the method → (n,).
        ranked: likewise → `ranks`.
        shown: examples of either side, at most n // 2.

    Returns:
        ``examples``, bits (n,): those that are among the most helpful or harmful of a method; ``ranks``, for each
        method in order those of these examples; ``methods``: name → ``scores`` of ranks 0 … shown - 1 and of the last
        ``shown`` ranks (`decimals`), ``low``, ``high`` and ``counts`` of the histogram of all.
    """
    size = len(next(iter(scores.values())))
    shown = min(shown, size // 2)
    kept = np.zeros(size, bool)
    methods = {}
    for name, values in scores.items():
        values, rank = np.asarray(values, np.float64), ranked[name]
        extreme = (rank < shown) | (rank >= size - shown)
        kept |= extreme
        inside = np.flatnonzero(extreme)
        counts, edges = np.histogram(values, BINS)
        methods[name] = {
            "scores": decimals(values[inside[np.argsort(rank[inside])]]),
            "low": float(f"{edges[0]:.6g}"),
            "high": float(f"{edges[-1]:.6g}"),
            "counts": counts,
        }
    examples = np.flatnonzero(kept)
    width = width_of(size)
    return {
        "examples": bits(kept),
        "ranks": packed(np.stack([ranked[name][examples] for name in scores]), width),
        "methods": methods,
    }
