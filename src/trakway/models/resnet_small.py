"""A ResNet for CPUs."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def build(
    shape: tuple[int, int, int], classes: int, *, widths: Sequence[int] = (16, 32, 64), smooth: bool = False
) -> "nn.Module":
    """Build a classifier of images (B, C, H, W): 72 thousand parameters at the default widths, one a stage.

    Args:
        shape: channels, height and width of the images.
        classes: how many there are.
        widths: channels of each stage.
        smooth: with group norm, SiLU and average pooling in place of batch norm, ReLU and max pooling: a network whose
            training can be differentiated as a whole.
    """
    from trakway.models.resnet import SmallResNet

    return SmallResNet(shape[0], classes, widths, smooth)


def faults(options: dict, side: int | None) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with options before anything is built: key, what is allowed, advice."""
    if not options["widths"] or min(options["widths"]) < 1:
        yield "widths", "a list of channels, each a whole number >= 1", "Set it, e.g. to [16, 32, 64]."
