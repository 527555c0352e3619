"""Where the entries of the images that retraining looks at stand in arrays with a row or column for every entry."""

import numpy as np
import pandas as pd

from trakway.errors import UserError
from trakway.targets.table import groups


def positions(table: pd.DataFrame, timestep: int | None = None, count: int | None = None) -> np.ndarray:
    """Return the evaluated entries of whole images at a timestep: of generated ones, or of classification's targets.

    Args:
        table: of targets.
        timestep: None: the entry of a whole image without one.
        count: how many images are needed; None: all there are.

    Returns:
        int64 (images,): the position in the table for image 0, 1, ….

    Raises:
        UserError: the images 0, 1, … do not have one such entry each, or are fewer than ``count``.
    """
    every = groups(table)
    found = [group.positions for group in every if (group.kind, group.timestep) == (every[0].kind, timestep)]
    places = found[0] if found else np.empty(0, np.int64)
    images = table["target"].to_numpy()[places]
    needed = max(1, count or 0)
    if len(images) < needed or not np.array_equal(images, np.arange(len(images))):
        at = "" if timestep is None else f" at timestep {timestep}"
        raise UserError(
            f"targets.parquet: found evaluated entries of the images {images.tolist()}{at}; needed is one of each of 0,"
            f" 1, …, at least {needed}. Lower removal.targets, or draw the targets again with this timestep among"
            " journey.timesteps"
        )
    return places[:count]
