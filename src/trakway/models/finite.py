"""Whether the weights of a network are numbers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def first_bad_tensor(model: "nn.Module") -> str | None:
    """Return the name of a parameter or buffer of a module that holds NaN or infinity, None if there is none."""
    return next((name for name, tensor in model.state_dict().items() if not tensor.isfinite().all()), None)
