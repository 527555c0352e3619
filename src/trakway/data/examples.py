"""What the examples behind an attribution look like: pictures of training examples and of targets."""

from pathlib import Path

import numpy as np
import pandas as pd

from trakway.data.images import ImageData
from trakway.storage.files import read_array
from trakway.targets.table import seen_by


def pictures(data: Path, table: pd.DataFrame, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pictures of training examples, of targets, and of what the targets' outputs look at.

    Args:
        data: folder of the prepared data.
        table: of targets.
        folder: of the table, in which sampled images lie; without them, targets are of the test split.

    Returns:
        (n, C, H, W), (targets, C, H, W), and as the second but x̂_0(x_t) where a target has a timestep.
    """
    images = ImageData.load(data)
    if not (folder / "images.npy").exists():
        targets = images.test_images[table["row"].to_numpy()]
        return images.train_images, targets, targets
    return images.train_images, read_array(folder / "images.npy")[table["target"]], seen_by(table, folder)
