"""Checkpoints: written whole, in the format that the task names, and checked when read."""

import copy
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trakway.errors import UserError
from trakway.models.finite import first_bad_tensor
from trakway.storage.files import replacing
from trakway.storage.fingerprint import file_digest
from trakway.tasks import Task
from trakway.training.foreign import PICKLES, read_pickle, unwrapped
from trakway.training.pretrained import load_pretrained, misfits, save_pretrained

SUFFIXES = {"safetensors": ".safetensors", "diffusers": ""}
"""How the names of checkpoints end, by format: one of diffusers is a folder."""

RETRAIN = "delete it and run again: the model is trained anew"


def save_checkpoint(task: Task, model: nn.Module, path: str | os.PathLike, stored: str = "float32") -> None:
    """Write a model of the task: a safetensors file, or a folder that diffusers loads.

    Args:
        task: the modality.
        model: of it.
        path: of the file or folder.
        stored: ``float32``, or ``float16``, to which the weights are rounded.

    Raises:
        UserError: a weight is too large for float16.
    """
    if stored == "float16":
        model = _halved(model)
    if task.checkpoint_format == "diffusers":
        save_pretrained(model, task.scheduler(), path)
    else:
        save_tensors(path, model.state_dict())


def _halved(model: nn.Module) -> nn.Module:
    """Return a copy of a model rounded to float16."""
    half = copy.deepcopy(model).half()
    name = first_bad_tensor(half)
    if name is not None and name != first_bad_tensor(model):
        limit = torch.finfo(torch.float16).max
        raise UserError(
            f"training.stored: found float16, but {name} of a trained model has values above {limit:.0f}, the largest"
            " that it holds; set float32"
        )
    return half


def load_checkpoint(task: Task, path: str | os.PathLike, sha256: str | None = None, advice: str = RETRAIN) -> nn.Module:
    """Return a model of the task on its device, in eval mode. A folder of diffusers says itself how it is built.

    Args:
        task: the modality.
        path: what `save_checkpoint` wrote, any folder of diffusers with a network that is called as the task's, or any
            folder that `Task.from_folder` takes.
        sha256: digest that the file or folder must have.
        advice: what to do where it cannot be loaded.

    Raises:
        UserError: it is missing, damaged, or does not fit the model of the experiment.
    """
    if task.checkpoint_format != "diffusers":
        if Path(path).is_dir():
            check_file(path, sha256, advice)
            return task.prepare(task.from_folder(Path(path)).to(task.device).eval())
        return with_weights(task, load_tensors(path, sha256, advice), f"checkpoint {path}")
    check_file(path, sha256, advice)
    model = load_pretrained(path, task.network, advice)
    problems = misfits(model, task.new_model(0))
    if problems:
        raise UserError(
            f"checkpoint {path}: does not fit the model of this experiment: {'; '.join(problems)}; {advice}"
        )
    return task.prepare(model.to(task.device))


def with_weights(task: Task, tensors: Mapping[str, Tensor], what: str) -> nn.Module:
    """Return a model of the task with these weights, on its device, in eval mode.

    Args:
        task: the modality.
        tensors: a state dict.
        what: where it comes from, for the message.

    Raises:
        UserError: it is that of another model.
    """
    model = task.new_model(0)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise UserError(f"{what}: does not fit the model of this experiment: {error}") from None
    return task.prepare(model.eval())


def save_tensors(path: str | os.PathLike, tensors: dict[str, Tensor]) -> None:
    """Write tensors to a safetensors file."""
    with replacing(path) as temporary:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, temporary)


def load_tensors(path: str | os.PathLike, sha256: str | None = None, advice: str = RETRAIN) -> dict[str, Tensor]:
    """Read a file of safetensors, or of a state dict that ``torch.save`` has written; wrappers' names are left out.

    Raises:
        UserError: the file is missing, damaged, or not the one whose digest was recorded.
    """
    check_file(path, sha256, advice)
    if Path(path).suffix in PICKLES:
        return unwrapped(read_pickle(Path(path), advice))
    try:
        return unwrapped(load_file(path))
    except SafetensorError as error:
        raise UserError(f"checkpoint {path}: not a whole safetensors file ({error}); {advice}") from None


def check_file(path: str | os.PathLike, sha256: str | None, advice: str) -> None:
    """Check that a file or folder is there and, where a digest was recorded, has it.

    Raises:
        UserError: with ``advice`` at its end.
    """
    if not Path(path).exists():
        raise UserError(f"checkpoint {path}: not found; {advice}")
    if sha256 is not None and file_digest(path) != sha256:
        raise UserError(f"checkpoint {path}: not the one that was recorded (SHA-256 differs, truncated?); {advice}")
