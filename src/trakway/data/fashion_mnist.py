"""Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017, arXiv:1708.07747): 28×28 grey images of ten kinds of clothing.

It is looked for in several places, in order: the subset packed into this package, the folder of the Debian package
``dataset-fashion-mnist``, torchvision's download into ``data`` of the working directory. The first that holds all that
is asked for is taken; a place with damaged files ends the search, so that a broken disk never changes the data in
silence.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from trakway.data.idx import DamagedFile, read_idx
from trakway.data.pixels import ArrayPixels
from trakway.data.sampling import shortage
from trakway.data.source import Source, Split, listed, pick_classes
from trakway.errors import UserError
from trakway.plan.datasets import Dataset

DATASET = Dataset(side=28, channels=1, train_size=60_000, test_size=10_000, classes=10, remote=True)
CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
PER_CLASS = {"train": 6000, "test": 1000}
PREFIXES = {"train": "train", "test": "t10k"}
PACKED = Path(__file__).parent / "packed" / "fashion_mnist"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
DOWNLOADS = Path("data")
LICENCE = "MIT, Copyright 2017 Zalando SE"

log = logging.getLogger(__name__)


FILES = (
    "a folder with train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and"
    " t10k-labels-idx1-ubyte.gz from https://github.com/zalandoresearch/fashion-mnist"
)
OWN = "examples of your own are an image_folder, or come from a function FILE.py:NAME (docs/extending.md)"


class Absent(Exception):
    """A place does not have the data."""


class OtherData(UserError):
    """A place has whole files of something else."""


def open_fashion_mnist(dataset: dict) -> Source:
    """Find Fashion-MNIST with the classes and sizes that ``dataset`` asks for.

    Args:
        dataset: ``source`` (auto, packed, folder or download), ``path``, ``classes``, ``train_size``, ``test_size``. A
            ``path`` is the only place looked at, and with ``download`` the folder to download into.

    Raises:
        UserError: no place has them; the message lists the places, what was found in each, and what to do.
    """
    picked = pick_classes(dataset["classes"], CLASSES)
    tried = []
    for place, whole, read in _places(dataset["source"], dataset["path"]):
        try:
            source = read()
        except Absent as error:
            tried.append(f"{place}: {error}")
            continue
        except DamagedFile as error:
            tried.append(f"{place}: damaged. {error}")
            break
        lack = _lack(source, picked, dataset, whole)
        if lack is None:
            log.info("Fashion-MNIST: %s", place)
            return source
        tried.append(f"{place}: {lack}")
    elsewhere = f"let dataset.path name {FILES}"
    if dataset["path"] is None:
        elsewhere = f"install the Debian package dataset-fashion-mnist; or {elsewhere}"
    sizes = ", ".join(f"{key}: {dataset[key] or 'all'}" for key in ("train_size", "test_size"))
    raise UserError(
        f"dataset: Fashion-MNIST with {sizes}, classes: {listed([CLASSES[label] for label in picked])} was not found."
        + "".join(f"\n  tried {line}" for line in tried)
        + f"\n  What to do: ask for fewer images; or {elsewhere}"
    )


def read_folder(folder: Path) -> Source:
    """Read the four official files, gzip'ed or not, from ``folder``.

    Where files of row ids lie beside them (as in the packed subset), these name the rows of the official files;
    else the rows are the official ones.

    Raises:
        Absent: the folder or one of the files is not there.
        DamagedFile: a file is damaged or the files do not belong together.
        OtherData: they are whole, and of other pictures.
    """
    if not folder.is_dir():
        raise Absent("there is no such folder")
    return Source("fashion_mnist", LICENCE, CLASSES, *(_read_split(folder, prefix) for prefix in PREFIXES.values()))


def _places(kind: str, path: str | None) -> Iterator[tuple[str, bool, Callable[[], Source]]]:
    """Yield (name, whether "all" must mean the complete classes, reader) of every place to look at, in order."""
    if path is not None and kind == "packed":
        raise UserError(f"dataset.path: {path!r} cannot be given with source: packed; remove one of the two")
    if path is not None and kind != "download":
        folder = Path(path).expanduser()
        yield str(folder), False, lambda: read_folder(folder)
        return
    if kind in ("auto", "packed"):
        yield "the packed subset", kind == "auto", lambda: read_folder(PACKED)
    if kind in ("auto", "folder"):
        yield str(DEBIAN), False, lambda: read_folder(DEBIAN)
    if kind in ("auto", "download"):
        root = DOWNLOADS if path is None else Path(path).expanduser()
        yield f"torchvision's download into {root}", False, lambda: _download(root)


def _lack(source: Source, picked: list[int], dataset: dict, whole: bool) -> str | None:
    """Return what ``source`` lacks of what ``dataset`` asks for, in words, or None."""
    for name, split in (("train", source.train), ("test", source.test)):
        size = dataset[f"{name}_size"]
        if size is None and whole:
            size = PER_CLASS[name] * len(picked)
        short = shortage(split.labels, picked, size)
        if short:
            label, count, needed = short
            return f"{CLASSES[label]} has {count} {name} images, {needed} are needed"
    return None


def _read_split(folder: Path, prefix: str) -> Split:
    images_path, labels_path = (_find(folder, f"{prefix}-{name}-ubyte") for name in ("images-idx3", "labels-idx1"))
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise OtherData(
            f"{images_path}: holds {images.dtype} of shape {images.shape}; allowed for fashion_mnist: uint8"
            f" of N × 28 × 28; {OWN}"
        )
    if labels.shape != images.shape[:1]:
        raise DamagedFile(f"{labels_path}: {labels.shape} labels for the {len(images)} images of {images_path.name}")
    if labels.dtype != np.uint8 or (len(labels) and labels.max() >= len(CLASSES)):
        raise OtherData(
            f"{labels_path}: holds labels up to {labels.max()} ({labels.dtype}); allowed for fashion_mnist:"
            f" bytes of 0 to {len(CLASSES) - 1}, its ten kinds of clothing; {OWN}"
        )
    try:
        ids_path = _find(folder, f"{prefix}-ids-idx1-int")
        ids = read_idx(ids_path)
        if ids.shape != labels.shape:
            raise DamagedFile(f"{ids_path}: {ids.shape} ids for {len(labels)} images")
    except Absent:
        ids = np.arange(len(labels))
    return Split(ArrayPixels(images[:, None]), labels.astype(np.int64), ids.astype(np.int64))


def _find(folder: Path, name: str) -> Path:
    """Return the file ``name``, gzip'ed (it carries a checksum) rather than not."""
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise Absent(f"neither {name}.gz nor {name} is there")


def _download(root: Path) -> Source:
    """Read what an earlier download left in ``root``; where that is not whole, let torchvision complete it."""
    raw = root / "FashionMNIST" / "raw"
    try:
        return read_folder(raw)
    except (Absent, DamagedFile):
        pass
    try:
        from torchvision.datasets import FashionMNIST

        FashionMNIST(str(root), download=True)
    except (ImportError, OSError, RuntimeError, ValueError, AssertionError) as error:
        raise Absent(f"failed ({' '.join(str(error).split())})") from error
    return read_folder(raw)
