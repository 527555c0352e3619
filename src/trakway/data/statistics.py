"""One pass over arrays of images that need not fit into memory: checksums, mean and standard deviation."""

import hashlib
from pathlib import Path

import numpy as np


def digest(path: Path, block: int) -> tuple[list[str], np.ndarray]:
    """Pass once over uint8 images N×C×H×W.

    Returns:
        The SHA-256 of every image's bytes, and how often each value 0..255 occurs in each channel (int64 C×256).
    """
    images = np.load(path, mmap_mode="r", allow_pickle=False)
    hashes, histogram = [], np.zeros((images.shape[1], 256), np.int64)
    for start in range(0, len(images), block):
        part = np.ascontiguousarray(images[start : start + block])
        hashes += [hashlib.sha256(image).hexdigest() for image in part]
        for channel in range(part.shape[1]):
            histogram[channel] += np.bincount(part[:, channel].ravel(), minlength=256)
    return hashes, histogram


def moments(histogram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and population standard deviation of each channel (float64 C), for pixels scaled to 0..1.

    Taken from exact counts (C×256): neither the size of the blocks nor the order of summation can change them.
    """
    values = np.arange(256) / 255
    weights = histogram / histogram.sum(axis=1, keepdims=True)
    mean = weights @ values
    return mean, np.sqrt((weights * (values - mean[:, None]) ** 2).sum(axis=1))
