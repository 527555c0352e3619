"""Texts, or pairs of texts, as examples: what a source holds of them, and how a prepared data set is read back."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trakway.data.source import Writing, did_you_mean, listed
from trakway.errors import UserError
from trakway.storage.files import read_json, read_table

MOST_NAMED = 5  # rows in a message


def check_columns(what: str, columns: Mapping[str, str | None], known: Sequence[str]) -> None:
    """Check that a table of texts has the columns that an experiment names.

    Args:
        what: the table, for the message.
        columns: option of the data set → name of the column; None for none.
        known: columns that there are.

    Raises:
        UserError: one is not there.
    """
    for option, column in columns.items():
        if column is not None and column not in known:
            raise UserError(
                f"dataset.{option}: {what} has no column {column!r}; allowed: {listed(known)}"
                f"{did_you_mean(column, known)}"
            )


@dataclass(frozen=True)
class Texts:
    """Texts in memory.

    Attributes:
        texts: one an example.
        pairs: the second text of each example; None where there is none.
        origin: where they come from, for messages, e.g. ``reviews.csv``.
        first: number of the first one there, in the words of whoever looks it up: 2 below a heading.
    """

    texts: Sequence[str]
    pairs: Sequence[str] | None = None
    origin: str = "the data"
    first: int = 1

    def __post_init__(self) -> None:
        for column, values in (("text", self.texts), ("text_pair", self.pairs or ())):
            empty = [row for row, value in enumerate(values) if not isinstance(value, str) or not value.strip()]
            if empty:
                rows = ", ".join(str(row + self.first) for row in empty[:MOST_NAMED])
                more = f" and {len(empty) - MOST_NAMED} more" if len(empty) > MOST_NAMED else ""
                raise UserError(
                    f"{self.origin}: found no {column} in row {rows}{more}; allowed: text in every row; fill or remove"
                    f" {'it' if len(empty) == 1 else 'them'}"
                )

    def __len__(self) -> int:
        return len(self.texts)

    def write(self, rows: np.ndarray, writing: Writing) -> tuple[dict[str, Sequence], dict]:
        """Return the columns ``text``, ``text_pair`` ("" for none) and ``sha256``; see `trakway.data.source.Examples`.

        Raises:
            UserError: a size of images is asked for.
        """
        if writing.settings["image_size"] is not None:
            raise UserError("dataset.image_size: found a number, and the examples are texts; allowed: null; remove it")
        texts = [self.texts[row] for row in rows]
        pairs = [""] * len(rows) if self.pairs is None else [self.pairs[row] for row in rows]
        hashes = [hashlib.sha256(f"{a}\0{b}".encode()).hexdigest() for a, b in zip(texts, pairs, strict=True)]
        return {"text": texts, "text_pair": pairs, "sha256": hashes}, {"pairs": self.pairs is not None}


@dataclass(frozen=True)
class TextData:
    """A prepared data set of texts.

    Attributes:
        texts: of each split, ``train`` and ``test``.
        pairs: of each split, the second texts; None where there are none.
        labels: of each split, int64, 0..len(classes)-1.
        classes: name of each label.
    """

    texts: dict[str, list[str]]
    pairs: dict[str, list[str]] | None
    labels: dict[str, np.ndarray]
    classes: tuple[str, ...]

    @classmethod
    def load(cls, folder: str | os.PathLike) -> "TextData":
        """Read what ``prepare`` wrote into ``folder``.

        Raises:
            UserError: a file is missing or damaged, or the examples are no texts.
        """
        folder = Path(folder)
        try:
            meta, examples = read_json(folder / "meta.json"), read_table(folder / "examples.parquet")
            splits = {split: examples[examples["split"] == split] for split in ("train", "test")}
            return cls(
                {split: table["text"].tolist() for split, table in splits.items()},
                {split: table["text_pair"].tolist() for split, table in splits.items()} if meta["pairs"] else None,
                {split: table["label"].to_numpy(np.int64) for split, table in splits.items()},
                tuple(meta["classes"]),
            )
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{folder}: not a whole data set of texts ({error}); remove the folder and prepare the data again"
            ) from error

    def joined(self, split: str) -> list[str]:
        """Return the texts of a split, each with the second one of its pair, where there is one, after a space."""
        if self.pairs is None:
            return self.texts[split]
        return [" ".join(pair) for pair in zip(self.texts[split], self.pairs[split], strict=True)]
