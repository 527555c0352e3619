"""Passing over arrays of images that need not fit into memory, block by block."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trakway.files import read_json, write_json


def write_blocks(
    path: Path,
    shape: tuple[int, ...],
    read: Callable[[int, int], np.ndarray],
    identity: dict,
    block: int,
    report: Callable[[int, int], None],
) -> None:
    """Write a uint8 array to ``path`` (``.npy``), which appears only when whole.

    A call that was cut off leaves a partial file and a note of the blocks that have reached it; the next call of the
    same ``identity`` goes on from there.

    Args:
        path: the file.
        shape: shape of the array; blocks are cut along its first axis.
        read: gives the rows start..stop-1.
        identity: what decides the contents, as plain JSON values; a partial file of another identity is thrown away.
        block: rows a block.
        report: called after each block with (rows done, rows in all).
    """
    identity = json.loads(json.dumps(identity | {"shape": shape}))
    partial, note = (path.with_name(f".{path.stem}.partial{suffix}") for suffix in (".npy", ".json"))
    path.parent.mkdir(parents=True, exist_ok=True)
    done = _rows_done(partial, note, identity)
    if done:
        array = np.load(partial, mmap_mode="r+", allow_pickle=False)
    else:
        note.unlink(missing_ok=True)
        array = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)
    while done < len(array):
        stop = min(done + block, len(array))
        array[done:stop] = read(done, stop)
        array.flush()
        done = stop
        write_json(note, {"identity": identity, "done": done})
        report(done, len(array))
    del array
    os.replace(partial, path)
    note.unlink()


def _rows_done(partial: Path, note: Path, identity: dict) -> int:
    try:
        state = read_json(note)
        return state["done"] if state["identity"] == identity and partial.is_file() else 0
    except (FileNotFoundError, json.JSONDecodeError):
        return 0


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
