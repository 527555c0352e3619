"""What every raw source offers, before examples are drawn from it."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from trakway.errors import UserError


@dataclass(frozen=True)
class Writing:
    """How the examples of a split are written.

    Attributes:
        folder: of the prepared data.
        split: ``train`` or ``test``.
        settings: the section ``dataset``, whole.
        mark: digest of all that decides the bytes.
        block: examples held in memory at a time; changes no byte.
        threads: files decoded at a time; changes no byte.
    """

    folder: Path
    split: str
    settings: dict
    mark: str
    block: int
    threads: int


class Examples(Protocol):
    """The examples of a split, of whatever kind."""

    def __len__(self) -> int:
        """Return their number."""

    def write(self, rows: np.ndarray, writing: Writing) -> tuple[dict[str, Sequence], dict]:
        """Write the examples of ``rows``, in this order.

        Returns:
            (columns, facts): what the table of examples holds of them, their ``sha256`` in any case; and what the
            training examples tell of the data set, for ``meta.json``.

        Raises:
            UserError: they cannot be read or used; names the file or row.
        """


@dataclass(frozen=True)
class Split:
    """One split of a source.

    Attributes:
        examples: of one kind, such as `trakway.data.pixels.ArrayPixels` or `trakway.data.texts.Texts`.
        labels: int64, one an example, index into the classes of the source.
        ids: int64, one an example, its row in the official files of the data set.
    """

    examples: Examples
    labels: np.ndarray
    ids: np.ndarray


@dataclass(frozen=True)
class Source:
    """A data set as it was found.

    Attributes:
        name: name of the data set, the same wherever it was found.
        licence: its licence in a few words.
        classes: names of all its classes.
        train: the training split.
        test: the test split.
    """

    name: str
    licence: str
    classes: tuple[str, ...]
    train: Split
    test: Split


def check_packed(dataset: dict, name: str, other: str) -> None:
    """Check that a data set that is packed in this package is not looked for elsewhere.

    Args:
        dataset: the section ``dataset``.
        name: of the data set.
        other: which one is for examples of the user's own, and for which, e.g. ``text_files for texts``.

    Raises:
        UserError: another source, or a path.
    """
    if dataset["source"] not in ("auto", "packed") or dataset["path"] is not None:
        raise UserError(
            f"dataset: found source {dataset['source']!r} and path {dataset['path']!r}; {name} is packed in this"
            f" package: use source: packed and path: null, or the data set {other} of your own"
        )


def pick_classes(wanted: Sequence[str] | None, known: Sequence[str]) -> list[int]:
    """Return the indices in ``known`` of the classes ``wanted`` (None: all), in the order wanted.

    Raises:
        UserError: an unknown name, a name twice, or fewer than two names.
    """
    if wanted is None:
        return list(range(len(known)))
    for name in wanted:
        if name not in known:
            raise UserError(
                f"dataset.classes: unknown class {name!r}{did_you_mean(name, known)}. Known classes: {listed(known)}"
            )
    if len(set(wanted)) != len(wanted) or len(wanted) < 2:
        raise UserError(f"dataset.classes: at least two different classes are needed, found {listed(wanted)}")
    return [list(known).index(name) for name in wanted]


def did_you_mean(name: object, known: Sequence[str]) -> str:
    """Return ``; did you mean ...?`` for the nearest of ``known``, or nothing if none is near."""
    near = difflib.get_close_matches(str(name).lower(), known, 1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def listed(names: Sequence[str], most: int = 20) -> str:
    """Return the names in one line, at most ``most`` of them."""
    more = f" … ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more
