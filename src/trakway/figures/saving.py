"""Figures to files, whose bytes are the same every time."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from trakway.figures.style import in_style
from trakway.storage.files import replacing

COLORS = 256  # of a frame, as many as a GIF can have


def render(figure: Figure) -> np.ndarray:
    """Draw a figure to pixels: uint8 (height × width × 3), at the figure's own dots per inch."""
    with in_style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.array(canvas.buffer_rgba())[..., :3]


def save_as(form: str, drawn: Figure | Sequence[Figure], path: str | os.PathLike) -> None:
    """Write what a figure's function has drawn, in the form that it declares; ``path`` is without a suffix."""
    if form == "animation":
        write_gif(drawn, f"{path}.gif")
    else:
        save(drawn, path)


def save(figure: Figure, path: str | os.PathLike) -> tuple[Path, Path]:
    """Write ``path``.png (150 dpi) and ``path``.pdf; the same figure gives the same bytes (no dates, no versions).

    Args:
        figure: what a function of this package returned.
        path: without a suffix; its folder is created.

    Returns:
        The two paths written.
    """
    png, pdf = (Path(f"{os.fspath(path)}.{suffix}") for suffix in ("png", "pdf"))
    with in_style():
        with replacing(png) as temporary:
            figure.savefig(temporary, metadata={"Software": None})
        with replacing(pdf) as temporary:
            figure.savefig(temporary, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return png, pdf


def write_gif(figures: Sequence[Figure], path: str | os.PathLike, milliseconds: int = 900, last: int = 3500) -> None:
    """Write figures of equal size as the frames of an endless GIF; the same figures give the same bytes.

    Args:
        figures: in order, at least one.
        path: ends in .gif; its folder is created.
        milliseconds: for which each frame stays.
        last: for which the last one stays.
    """
    frames = [Image.fromarray(render(figure)).quantize(COLORS, dither=Image.Dither.NONE) for figure in figures]
    duration = [milliseconds] * (len(frames) - 1) + [last]
    with replacing(path) as temporary:
        frames[0].save(temporary, save_all=True, append_images=frames[1:], duration=duration, loop=0)
