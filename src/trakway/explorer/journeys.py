"""The film strip of a sample: x_t and what the model expects of it, at every attributed step."""

from pathlib import Path

import numpy as np

from trakway.data.centred import to_bytes
from trakway.explorer.pictures import write_sheet


def write_strip(
    folder: Path, target: int, noisy: np.ndarray, estimates: np.ndarray, sample: np.ndarray, lossless: bool
) -> dict:
    """Write x_t above, x̂_0(x_t) below, the final sample last in both rows.

    Args:
        folder: of the explorer.
        target: number of the sample, for the name of the file.
        noisy: pixels about [-1, 1], (steps, C, H, W).
        estimates: likewise.
        sample: (C, H, W).
        lossless: whether as PNG.

    Returns:
        See `write_sheet`.
    """
    tiles = to_bytes(np.concatenate([noisy, sample[None], estimates, sample[None]]))
    return write_sheet(folder, f"pictures/journey-{target}", tiles, len(noisy) + 1, lossless)
