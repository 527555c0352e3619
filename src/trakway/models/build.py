"""From the section ``model`` of an experiment to a network."""

from typing import TYPE_CHECKING

from trakway.plan.loading import load
from trakway.plan.options import options_of

if TYPE_CHECKING:
    from torch import nn


def build_model(model: dict, shape: tuple[int, ...], classes: int) -> "nn.Module":
    """Build an untrained network.

    Args:
        model: the ``model`` section of an experiment: ``name``, of a file of this room or ``FILE.py:FUNCTION``, and
            the options of its function.
        shape: of one example, e.g. channels, height and width of an image.
        classes: how many there are.
    """
    return load("model", model["name"])(shape, classes, **options_of("model", model))
