"""Training examples: what they say, and which of them are nearly the same."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from trakway.storage.resumable import row_blocks

LONG = 2000  # characters of a text; the rest is left out
NEAREST = 5
BLOCK = 1024  # examples compared with all others at a time


def words_of(examples: pd.DataFrame) -> dict[str, list]:
    """Return what examples say and are called, one list a column, without the columns that are empty.

    Args:
        examples: of one split, in the order of their rows.

    Returns:
        ``id`` and ``label``; ``text``, ``pair`` (the second text) and ``captions`` where there are any.
    """
    found = {"id": examples["id"].tolist(), "label": examples["label"].tolist()}
    for name, column in (("text", "text"), ("pair", "text_pair")):
        if column in examples and (examples[column] != "").any():
            found[name] = [cut(text) for text in examples[column]]
    if "captions" in examples:
        found["captions"] = [[cut(caption) for caption in of_one] for of_one in examples["captions"]]
    elif "caption" in examples and (examples["caption"] != "").any():
        found["captions"] = [[cut(caption)] for caption in examples["caption"]]
    return found


def cut(text: str) -> str:
    """Return a text, or its beginning and how much of it is left out."""
    return text if len(text) <= LONG else f"{text[:LONG]} … ({len(text) - LONG} more characters)"


def nearest(vectors, digests: np.ndarray, count: int = NEAREST) -> dict[str, np.ndarray]:
    """Find the nearest other examples of each.

    Args:
        vectors: of length one (or 0), (n, d), an array or a sparse matrix.
        digests: of the examples (n,); equal ones are copies.
        count: how many, at most n - 1.

    Returns:
        ``rows`` (n, count), the nearest first; ``similarity``, cosines in three digits; ``same``, whether it is a copy.
    """
    size = vectors.shape[0]
    count = min(count, size - 1)
    rows = np.zeros((size, count), np.int64)
    similarity = np.zeros((size, count))
    for block, cosines in _cosines(vectors):
        own = np.arange(block.start, block.stop)
        cosines[own - block.start, own] = -np.inf
        # the most similar in any order, then in theirs; of equally similar ones the first
        found = np.sort(np.argpartition(-cosines, count, axis=1)[:, :count], axis=1)
        values = np.take_along_axis(cosines, found, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        rows[block] = np.take_along_axis(found, order, axis=1)
        similarity[block] = np.take_along_axis(values, order, axis=1)
    same = digests[rows] == digests[:, None]
    return {"rows": rows, "similarity": np.round(similarity, 3), "same": same}


def _cosines(vectors) -> Iterator[tuple[slice, np.ndarray]]:
    for block in row_blocks(vectors.shape[0], BLOCK):
        product = vectors[block] @ vectors.T
        yield block, np.asarray(product.todense() if hasattr(product, "todense") else product, np.float32)


def picture_vectors(pictures: np.ndarray) -> np.ndarray:
    """Return pictures (n, C, H, W), each less its own mean and of length one: float32 (n, C·H·W)."""
    rows = np.asarray(pictures, np.float32).reshape(len(pictures), -1)
    rows = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1)


def text_vectors(texts: list[str]):
    """Return the TF-IDF vectors of texts, a sparse matrix (n, words)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b").fit_transform([*texts, "word"])[:-1]
