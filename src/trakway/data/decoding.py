"""A picture file as RGB, whatever its mode: bit depth, transparency, palette and orientation are read as viewers do."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from trakway.data.idx import DamagedFile

DEEP = 257  # 16-bit grey in units of 8-bit grey


def decoded(path: str | Path) -> Image.Image:
    """Return a picture as RGB: its first frame, upright as its camera says, what is transparent on white.

    Raises:
        DamagedFile: the file is missing, cut off, too large, no picture, or of a mode that has no grey or colours; says
            which.
    """
    try:
        with Image.open(path) as handle:
            handle.load()
            picture = ImageOps.exif_transpose(handle)
            return _rgb(picture)
    except Image.DecompressionBombError as error:
        raise DamagedFile(
            f"{path}: the picture is larger than Pillow opens ({error}); make it smaller or remove it"
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise DamagedFile(f"{path}: cannot be read as an image ({error}); fetch the file again or remove it") from error


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits, in one of several byte orders or in 32
        deep = np.asarray(picture, np.int64)
        if deep.min() < 0 or deep.max() > 255 * DEEP:
            raise ValueError(f"mode {picture.mode} with values from {deep.min()} to {deep.max()}: found no 16-bit grey")
        return Image.fromarray(((deep + DEEP // 2) // DEEP).astype(np.uint8)).convert("RGB")
    if picture.mode == "F":
        raise ValueError("mode F: numbers of unknown range; save it with 8 or 16 bits")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")
