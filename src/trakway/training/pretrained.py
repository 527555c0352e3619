"""Checkpoints as diffusers keeps them: folders of ``save_pretrained``, which any diffusers program can load."""

import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from trakway.errors import UserError
from trakway.models.pretrained import contents, how
from trakway.storage.files import read_json
from trakway.training.foreign import read_pickle, unwrapped

NETWORKS = ("unet", "unet_ema")
"""Folders of a pipeline, or of a training program's checkpoint, that hold the network."""

CALLED_WITH = (
    "sample_size",
    "in_channels",
    "out_channels",
    "time_embedding_type",
    "class_embed_type",
    "num_class_embeds",
    "cross_attention_dim",
    "encoder_hid_dim",
)
"""What decides how a network is called and what it returns; the rest of its configuration is its own affair."""


def save_pretrained(model: nn.Module, scheduler, path: str | os.PathLike) -> None:
    """Write a network and its noise scheduler, both of diffusers, to one folder."""
    with replacing_folder(path) as temporary:
        model.save_pretrained(temporary)
        scheduler.save_pretrained(temporary)


def load_pretrained(path: str | os.PathLike, network: str, advice: str) -> nn.Module:
    """Load the network of a folder, or of the folder of a pipeline, as float32 on the CPU, in eval mode.

    Args:
        path: the folder.
        network: what diffusers calls it, e.g. ``UNet2DModel``.
        advice: what to do where it cannot be loaded.

    Raises:
        UserError: there is no such network, its weights are missing or damaged, or do not fit its configuration. The
            message ends with ``advice``.
    """
    import diffusers

    folder = network_folder(path)
    try:
        config = read_json(folder / "config.json")
        found = config.get("_class_name")
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(f"checkpoint {folder}: config.json does not describe a network ({error}); {advice}") from None
    if found != network:
        raise UserError(f"checkpoint {folder}: config.json describes a {found!r}, allowed: {network!r}; {advice}")
    chosen = how(folder)
    try:
        model, info = getattr(diffusers, network).from_pretrained(
            folder, local_files_only=True, low_cpu_mem_usage=False, output_loading_info=True, **chosen
        )
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, pickle.UnpicklingError) as error:
        raise UserError(
            f"checkpoint {folder}: no whole {network} in safetensors ({error}); found {contents(folder)}; {advice}"
        ) from None
    if info["unexpected_keys"]:
        info = _without_wrappers(model, folder, info, advice)
    for problem in ("missing_keys", "unexpected_keys"):
        if info[problem]:
            raise UserError(
                f"checkpoint {folder}: the weights do not fit config.json"
                f" ({problem.replace('_keys', '')}: {', '.join(sorted(info[problem]))}); {advice}"
            )
    return model.eval()


def _without_wrappers(model: nn.Module, folder: Path, info: dict, advice: str) -> dict:
    """Load weights that are named as those of a wrapper around the network; returns what is missing and too many."""
    files = [*folder.glob("*.safetensors"), *folder.glob("*.bin")]
    if len(files) != 1:
        return info
    tensors = load_file(files[0]) if files[0].suffix == ".safetensors" else read_pickle(files[0], advice)
    tensors = unwrapped(tensors)
    if set(tensors) != set(model.state_dict()):
        return info
    model.load_state_dict(tensors)
    return dict.fromkeys(info, ())


def network_folder(path: str | os.PathLike) -> Path:
    """Return the folder of the network: that of a pipeline keeps it in ``unet/``.

    Raises:
        UserError: there is ``unet_ema/`` too, as training programs leave it: which of the two is meant?
    """
    path = Path(path)
    found = [name for name in NETWORKS if (path / name).is_dir()]
    if len(found) > 1:
        raise UserError(
            f"checkpoint {path}: found unet, the weights at the end of training, and unet_ema, their moving average,"
            " which samples are drawn with as a rule; allowed: one of the two; name"
            f" {path / found[1]} or {path / found[0]}"
        )
    return path / found[0] if found else path


def pipeline_folder(path: str | os.PathLike) -> Path:
    """Return the folder of the pipeline whose network this is, or the folder itself where it is part of none."""
    path = Path(path)
    return path.parent if path.name in NETWORKS and (path.parent / "scheduler").is_dir() else path


def misfits(model: nn.Module, expected: nn.Module) -> list[str]:
    """Return in words where a network is not called as ``expected`` is, or returns something else; empty if it fits."""
    found = []
    for key in CALLED_WITH:
        value, needed = (_sides(key, of.config.get(key)) for of in (model, expected))
        if value != needed and not (key == "sample_size" and value is None):  # None: made for no size in particular
            found.append(f"{key} is {model.config.get(key)}, not {expected.config.get(key)}")
    return found


def _sides(key: str, value):
    """Return a size of images as a pair, other values as they are."""
    if key != "sample_size" or value is None:
        return value
    return (value, value) if isinstance(value, int) else tuple(value)


@contextmanager
def replacing_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yield an empty folder that gets the name ``path`` once the block ends without an error, as `files.replacing`.

    The folder at ``path`` is whole at any moment, the old or the new one, or it is not there.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as beside:
        fresh = Path(beside) / "new"
        fresh.mkdir()
        yield fresh
        for file in fresh.rglob("*"):
            if file.is_file():
                with open(file, "rb") as handle:
                    os.fsync(handle.fileno())
        if path.exists():
            os.replace(path, Path(beside) / "old")
        os.replace(fresh, path)
