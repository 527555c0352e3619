"""Weights as other programs leave them: of half precision, as pickles of tensors alone, under the names of wrappers."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from trakway.errors import UserError

PICKLES = (".bin", ".pt", ".pth", ".ckpt")
WRAPPERS = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before the names of parameters."""

PARTS = ("state_dict", "model_state_dict", "model")
"""Where training programs keep the state dict among what else they save."""


def read_pickle(path: Path, advice: str) -> dict[str, Tensor]:
    """Return the state dict of a file that ``torch.save`` has written; nothing in it is run.

    Raises:
        UserError: it holds other things than tensors, or is damaged.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        said = " ".join(str(error).split())[:200]
        raise UserError(
            f"checkpoint {path}: holds more than tensors, which is never loaded, or is not whole ({said}); save its"
            f" state dict as safetensors (safetensors.torch.save_file(model.state_dict(), FILE)); {advice}"
        ) from None
    inner = next(
        (found[key] for key in PARTS if isinstance(found, Mapping) and isinstance(found.get(key), Mapping)), found
    )
    if not isinstance(inner, Mapping) or not all(isinstance(value, Tensor) for value in inner.values()):
        keys = (
            f"the keys {', '.join(map(str, list(inner)[:8]))}" if isinstance(inner, Mapping) else type(inner).__name__
        )
        raise UserError(
            f"checkpoint {path}: found {keys}; allowed: a state dict, or one under {', '.join(PARTS)}; {advice}"
        )
    return dict(inner)


def unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict without the names of wrappers, where all of its names begin with one."""
    found = dict(tensors)
    while prefix := next((one for one in WRAPPERS if found and all(name.startswith(one) for name in found)), ""):
        found = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
    return found
