"""Checkpoints: safetensors, written whole, checked when read."""

import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trakway.errors import UserError
from trakway.files import replacing
from trakway.fingerprint import file_digest


def save_tensors(path: str | os.PathLike, tensors: dict[str, Tensor]) -> None:
    """Write tensors to a safetensors file."""
    with replacing(path) as temporary:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, temporary)


def load_tensors(path: str | os.PathLike, sha256: str | None = None) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        UserError: the file is missing, damaged, or not the one whose digest was recorded.
    """
    path = Path(path)
    advice = "delete it and run again: the model is trained anew"
    if not path.exists():
        raise UserError(f"checkpoint {path}: not found; {advice}")
    if sha256 is not None and file_digest(path) != sha256:
        raise UserError(
            f"checkpoint {path}: not the file that training recorded (SHA-256 differs, truncated?); {advice}"
        )
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"checkpoint {path}: not a whole safetensors file ({error}); {advice}") from None


def load_checkpoint(model: nn.Module, path: str | os.PathLike, sha256: str | None = None) -> nn.Module:
    """Load weights into ``model`` and put it in eval mode.

    Raises:
        UserError: the file is missing, damaged, or its tensors do not fit the model.
    """
    try:
        model.load_state_dict(load_tensors(path, sha256))
    except RuntimeError as error:
        raise UserError(f"checkpoint {path}: does not fit the model of this experiment: {error}") from None
    return model.eval()


def first_bad_tensor(model: nn.Module) -> str | None:
    """Return the name of a parameter or buffer that holds NaN or infinity, None if there is none."""
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            return name
    return None
