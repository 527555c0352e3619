"""Pictures, many in one file: the page shows cut-outs."""

from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 64  # pixels of the longer side; larger pictures are made smaller
COLUMNS = 32  # pictures beside each other
A_FILE = 1024  # pictures a file
LOSSLESS = 6_000_000  # values of all pictures of a kind, above which they are written with slight losses
QUALITY = 85


def write_sheets(folder: Path, name: str, pictures: np.ndarray) -> dict:
    """Write pictures to ``pictures/NAME-0.png``, ``-1``, … (``.webp`` where there are too many for PNG).

    Args:
        folder: of the explorer.
        name: of the files.
        pictures: uint8 (pictures, C, H, W), C = 1 or 3, may be a memory map; read a file's at a time.

    Returns:
        ``files``, each with ``file``, ``columns`` and ``rows``; ``each`` (pictures a file), ``width`` and ``height``
        (of the original in pixels).
    """
    count, _, height, width = pictures.shape
    lossless = pictures.size <= LOSSLESS
    files = []
    for first in range(0, count, A_FILE):
        part = pictures[first : first + A_FILE]
        stem = f"pictures/{name}-{first // A_FILE}"
        files.append(write_sheet(folder, stem, part, min(COLUMNS, len(part)), lossless))
    return {"files": files, "each": A_FILE, "width": width, "height": height}


def write_sheet(folder: Path, stem: str, pictures: np.ndarray, columns: int, lossless: bool = True) -> dict:
    """Write pictures to one file, row by row; returns its ``file``, ``columns`` and ``rows``."""
    tiles = [_small(np.asarray(picture)) for picture in pictures]
    height, width, channels = tiles[0].shape
    rows = -(-len(tiles) // columns)
    sheet = np.zeros((rows * height, columns * width, channels), np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // columns * height, place % columns * width
        sheet[top : top + height, left : left + width] = tile
    file = f"{stem}.{'png' if lossless else 'webp'}"
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(sheet[..., 0] if channels == 1 else sheet)
    image.save(folder / file, **({"optimize": True} if lossless else {"quality": QUALITY}))
    return {"file": file, "columns": columns, "rows": rows}


def _small(picture: np.ndarray) -> np.ndarray:
    """Return H × W × C of C × H × W, made smaller where it is large."""
    picture = np.moveaxis(picture, 0, -1)
    scale = max(picture.shape[:2]) / SIDE
    if scale <= 1:
        return picture
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    small = image.resize([max(1, round(side / scale)) for side in image.size], Image.Resampling.LANCZOS)
    return np.asarray(small).reshape(small.height, small.width, -1)
