"""Captions of pictures in a folder: in a table ``captions.csv``, or in a text beside each picture."""

import logging
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from trakway.data.source import did_you_mean, listed
from trakway.data.utf8 import read_delimited, read_lines
from trakway.errors import UserError

TABLE = "captions.csv"
COLUMNS = ("file", "caption", "label")
ONE_CLASS = "all"
MOST_NAMED = 5  # files or rows in a message

log = logging.getLogger(__name__)


def named(files: list[Path], folder: Path) -> str:
    """Return the names of files in a folder in one line, a few of them."""
    return listed([file.relative_to(folder).as_posix() for file in files], MOST_NAMED)


def from_texts(folder: Path, pictures: list[Path], texts: list[Path], others: Sequence[Path] = ()) -> list[list[str]]:
    """Return the captions of each picture, a line each of the text beside it.

    Args:
        folder: of the pictures, for messages.
        pictures: files of it, and of folders in it.
        texts: likewise.
        others: likewise, which are neither.

    Raises:
        UserError: a picture has no text, a text no picture, or one is empty or not UTF-8; names the files.
    """
    stems = {file.with_suffix(""): file for file in texts}
    bare = [file for file in pictures if file.with_suffix("") not in stems]
    if bare:
        raise _no_caption(folder, bare, "NAME.txt beside each picture")
    known = {file.with_suffix("") for file in pictures}
    alone = [file for file in texts if file.with_suffix("") not in known]
    if alone:
        lacking = {file.with_suffix("") for file in alone}
        _check_read(folder, [file for file in others if file.with_suffix("") in lacking])
        raise UserError(
            f"{folder}: found captions without a picture, {named(alone, folder)}; allowed: texts beside pictures of"
            " the same name; add the pictures, or remove the texts"
        )
    captions = {stem: read_lines(file) for stem, file in stems.items()}
    empty = [file for stem, file in stems.items() if not captions[stem]]
    if empty:
        raise UserError(
            f"{folder}: found no caption in {named(empty, folder)}; allowed: a caption a line, one at least; write it"
        )
    return [captions[file.with_suffix("")] for file in pictures]


def from_table(table: Path, pictures: list[Path], others: Sequence[Path] = ()) -> tuple[list[list[str]], list[str]]:
    """Return the captions of each picture, in the order of their rows, and the label of each, ``all`` without labels.

    Args:
        table: a CSV file with columns ``file`` (relative to its folder), ``caption`` and, optionally, ``label``.
        pictures: files of its folder, and of folders in it.
        others: likewise, which are no pictures.

    Raises:
        UserError: a column is missing, a value is empty, a row has no picture or a picture no row, a picture has two
            labels, or the table is not UTF-8; names rows or files.
    """
    rows = _complete(table, read_delimited(table))
    files = [PurePosixPath(name).as_posix() for name in rows["file"]]
    captions: dict[str, list[str]] = {file.relative_to(table.parent).as_posix(): [] for file in pictures}
    unknown = sorted(set(files) - set(captions))
    if unknown:
        _check_read(table, [file for file in others if file.relative_to(table.parent).as_posix() in unknown])
        raise UserError(
            f"{table}: found captions without a picture, {listed(unknown, MOST_NAMED)}"
            f"{did_you_mean(unknown[0], list(captions))}; allowed: pictures of its folder, not hidden, named from there"
            " with /; add the pictures, or remove the rows"
        )
    for name, caption in zip(files, rows["caption"], strict=True):
        captions[name].append(caption)
    bare = [file for file, of_one in zip(pictures, captions.values(), strict=True) if not of_one]
    if bare:
        raise _no_caption(table.parent, bare, f"a row of {TABLE} for each")
    labels = _labels(table, files, rows["label"]) if "label" in rows else dict.fromkeys(captions, ONE_CLASS)
    return list(captions.values()), [labels[name] for name in captions]


def _complete(table: Path, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that count, without white space around the values, of which none is empty."""
    columns = list(map(str, rows.columns))
    for column in COLUMNS[:2]:
        if column not in columns:
            raise UserError(
                f"{table}: found no column {column!r} among {listed(columns)}{did_you_mean(column, columns)}; allowed:"
                " file and caption, and label where there are classes; rename or add it"
            )
    others = [column for column in columns if column not in COLUMNS]
    if others:
        log.warning("%s: left out, columns other than %s: %s", table, listed(COLUMNS), listed(others))
    rows = rows[[column for column in COLUMNS if column in columns]].apply(lambda values: values.str.strip())
    for column in rows:
        empty = np.flatnonzero(rows[column] == "") + 2  # as editors count, below a heading
        if len(empty):
            raise UserError(
                f"{table}: found no {column} in row {listed(list(empty), MOST_NAMED)}; allowed: one in every row; fill"
                " or remove it"
            )
    return rows


def _labels(table: Path, files: list[str], values: pd.Series) -> dict[str, str]:
    """Return the label of each picture."""
    labels: dict[str, str] = {}
    for name, label in zip(files, values, strict=True):
        if labels.setdefault(name, label) != label:
            raise UserError(
                f"{table}: found the labels {labels[name]!r} and {label!r} of {name}; allowed: the same in all rows of"
                " a picture; correct one"
            )
    return labels


def _check_read(where: Path, files: list[Path]) -> None:
    """Check that no files are captioned which are there and are not read.

    Raises:
        UserError: there are some; names them, and the endings that are read.
    """
    from torchvision.datasets.folder import IMG_EXTENSIONS

    if files:
        endings = sorted({file.suffix or file.name for file in files})
        raise UserError(
            f"{where}: found captions of {named(files, where if where.is_dir() else where.parent)}, and"
            f" {listed(endings)} is not read; allowed: pictures that end in {', '.join(IMG_EXTENSIONS)}; convert the"
            " files, or remove their captions"
        )


def _no_caption(folder: Path, pictures: list[Path], allowed: str) -> UserError:
    return UserError(
        f"{folder}: found pictures without a caption, {named(pictures, folder)}; allowed: {allowed}; add the captions,"
        " or remove the pictures"
    )
