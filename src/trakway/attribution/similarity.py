"""Cosine similarity signed by class, which the label-aware baselines share."""

import numpy as np


def unit(rows: np.ndarray) -> np.ndarray:
    """Scale rows to length one, float32; rows of zeros stay zero."""
    rows = np.asarray(rows, np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1)


def class_sign(labels: tuple[np.ndarray, np.ndarray] | None, block: slice) -> np.ndarray:
    """Return +1 where classes agree, -1 where not: similar ones of another class harm a margin.

    Args:
        labels: of training examples and targets; None where no margin compares classes: +1 for all.
        block: the training examples in question.

    Returns:
        float32 (targets, block), or (1, 1).
    """
    if labels is None:
        return np.ones((1, 1), np.float32)
    train, target = labels
    return np.where(target[:, None] == train[None, block], np.float32(1), np.float32(-1))
