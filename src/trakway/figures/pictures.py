"""Pages of pictures: images with captions and frames, each placed by hand."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trakway.figures.lettering import written
from trakway.figures.style import BLUE, ORANGE


class Page:
    """A figure whose parts are placed in inches from its top left corner.

    A grid of images and captions has known sizes, and no automatic layout keeps them equal.

    Attributes:
        figure: what is drawn on.
        width: in inches.
        height: in inches.
    """

    def __init__(self, width: float, height: float, dpi: float | None = None):
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), dpi=dpi)

    def write(self, x: float, y: float, text: str, size: float, **kwargs) -> None:
        """Write text; (x, y) is the left end of its baseline, unless ``kwargs`` (of matplotlib's text) say else."""
        text = "\n".join(map(written, text.split("\n")))
        self.figure.text(x / self.width, 1 - y / self.height, text, fontsize=size, **kwargs)

    def image(self, x: float, y: float, side: float, image: np.ndarray) -> Axes:
        """Show one uint8 C × H × W image, C = 1 or 3, in a square with its top left corner at (x, y)."""
        box = (x / self.width, 1 - (y + side) / self.height, side / self.width, side / self.height)
        axes = self.figure.add_axes(box)
        shown = np.moveaxis(np.asarray(image), 0, -1)
        high, wide = shown.shape[:2]
        shown = shown[..., 0] if shown.shape[-1] == 1 else shown
        axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        # a margin of white between the image and its frame
        axes.set_xlim(-0.5 - 0.06 * wide, 0.06 * wide + wide - 0.5)
        axes.set_ylim(high - 0.5 + 0.06 * high, -0.5 - 0.06 * high)
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        return axes


def frame(axes: Axes, dashed: bool) -> None:
    """Frame an image: dashed orange, or solid blue."""
    axes.spines[:].set(visible=True, linewidth=2, capstyle="butt")
    axes.spines[:].set(color=ORANGE if dashed else BLUE, linestyle=(0, (2.5, 1.5)) if dashed else "-")


def score_format(scores: np.ndarray) -> str:
    """Choose one format for all scores: three digits of the largest, decimal where that stays short."""
    power = int(np.floor(np.log10(np.abs(scores).max(initial=0.0) or 1.0)))
    return f"+.{max(0, 2 - power)}f" if -4 <= power <= 5 else "+.1e"
