"""Cosine similarity signed by class, which the label-aware baselines share."""

import numpy as np


def unit(rows: np.ndarray) -> np.ndarray:
    """Scale rows to length one, float32; rows of zeros stay zero."""
    rows = np.asarray(rows, np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1)


def class_sign(target_labels: np.ndarray, train_labels: np.ndarray) -> np.ndarray:
    """Return +1 where classes agree, -1 where not, shape (targets, n): similar ones of another class harm."""
    return np.where(target_labels[:, None] == train_labels[None, :], np.float32(1), np.float32(-1))
