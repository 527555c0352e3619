"""Pictures of the user's own with captions, in a folder."""

import logging
from pathlib import Path

import numpy as np

from trakway.data.caption_files import ONE_CLASS, TABLE, from_table, from_texts, named
from trakway.data.captioned import Captioned
from trakway.data.class_folders import hidden
from trakway.data.pixels import FilePixels
from trakway.data.sampling import held_out
from trakway.data.source import Source, Split
from trakway.errors import UserError
from trakway.plan.datasets import Dataset

DATASET = Dataset(kind="captioned", varied=True)
LICENCE = "the owner's"

log = logging.getLogger(__name__)


def open_captioned_folder(dataset: dict, *, test: str | None = None) -> Source:
    """Read the folder ``dataset.path``, and folders in it; what is hidden (``.name``) is left out.

    Either ``captions.csv`` at its top has a row for each caption: ``file``, relative to the folder, ``caption`` and,
    optionally, ``label``, the class of the picture, the same in all its rows. Or ``NAME.txt`` lies beside each picture
    ``NAME.jpg``, with a caption a line. Without labels there is one class, ``all``.

    Args:
        dataset: ``path``: of the training pictures; ``image_size``: a side in pixels; ``source`` is auto or folder.
        test: folder of the test pictures, likewise; without one a quarter of ``path``, drawn whatever the seed.

    Raises:
        UserError: a folder is not there or has captions in neither or in both forms, pictures and captions do not
            belong together, a caption or label is empty, a file is not UTF-8, or no size is given; names the files.
    """
    if dataset["source"] not in ("auto", "folder"):
        raise UserError(f"dataset.source: captioned_folder has no {dataset['source']!r}; use auto or folder")
    if dataset["path"] is None:
        raise UserError("dataset.path: captioned_folder needs the folder of the pictures; give its path")
    if dataset["image_size"] is None:
        raise UserError("dataset.image_size: pictures may differ in size; give the side in pixels, e.g. 64")
    folders = {"path": Path(dataset["path"]).expanduser()}
    if test is not None and not isinstance(test, str):
        raise UserError(
            f"dataset.test: found {test!r}; allowed: text, the folder of the test pictures, or null; change it"
        )
    if test is not None:
        folders["test"] = Path(test).expanduser()
        _check_apart(*folders.values())
    found = [(str(folder), *_read(key, folder)) for key, folder in folders.items()]
    classes = sorted({label for *_, labels in found for label in labels})
    if test is None:
        (whole,) = found
        rows = held_out(len(whole[-1]), "captioned_folder")
        splits = [_split(*whole, classes, part) for part in rows]
    else:
        splits = [_split(*one, classes, np.arange(len(one[-1]))) for one in found]
    return Source(folders["path"].resolve().name, LICENCE, tuple(classes), *splits)


def _check_apart(train: Path, test: Path) -> None:
    """Check that no picture is in both folders.

    Raises:
        UserError: one folder is, or lies in, the other.
    """
    one, other = train.resolve(), test.resolve()
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise UserError(
            f"dataset.test: found {test}, and dataset.path is {train}; allowed: folders of which neither lies in the"
            " other, since folders in a folder belong to it; move one"
        )


def _read(key: str, folder: Path) -> tuple[list[Path], list[list[str]], list[str]]:
    """Return the pictures of a folder, sorted, the captions of each, and the label of each.

    Raises:
        UserError: see `open_captioned_folder`.
    """
    from torchvision.datasets.folder import IMG_EXTENSIONS

    if not folder.is_dir():
        raise UserError(
            f"dataset.{key}: there is no folder {folder}; give its path, from the working directory or in full"
        )
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not hidden(file, folder)]
    pictures = [file for file in files if file.suffix.lower() in IMG_EXTENSIONS]
    texts = [file for file in files if file.suffix.lower() == ".txt"]
    table = folder / TABLE
    if not pictures:
        raise UserError(f"{folder}: found no picture; allowed: files that end in {', '.join(IMG_EXTENSIONS)}; add some")
    stems = {file.with_suffix("") for file in pictures}
    beside = [file for file in texts if file.with_suffix("") in stems]
    if table in files and beside:
        raise UserError(
            f"{folder}: found captions twice, in {TABLE} and in {named(beside, folder)}; allowed: one of the two; move"
            " the other away"
        )
    known = {*pictures, *texts, table}
    others = [file for file in files if file not in known]
    if others:
        log.warning("%s: left out, no pictures by their names: %s", folder, named(others, folder))
    if table in files:
        return pictures, *from_table(table, pictures, others)
    if not texts:
        raise UserError(
            f"{folder}: found no captions; allowed: {TABLE} with columns file and caption, or NAME.txt beside each"
            " picture; add one of the two"
        )
    return pictures, from_texts(folder, pictures, texts, others), [ONE_CLASS] * len(pictures)


def _split(
    origin: str,
    pictures: list[Path],
    captions: list[list[str]],
    labels: list[str],
    classes: list[str],
    rows: np.ndarray,
) -> Split:
    """Return the pictures ``rows``, which are their ids too."""
    pixels = FilePixels([str(pictures[row]) for row in rows])
    examples = Captioned(pixels, [captions[row] for row in rows], origin)
    return Split(examples, np.array([classes.index(labels[row]) for row in rows], np.int64), rows)
