"""Pictures with captions as examples: what a source holds of them, and how a prepared data set is read back."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from trakway.data.images import ImageData
from trakway.data.pixels import Pixels
from trakway.data.source import Writing, listed
from trakway.errors import UserError
from trakway.storage.files import read_table

MOST_NAMED = 5  # pictures in a message


@dataclass(frozen=True)
class Captioned:
    """Pictures, each with one caption or more.

    Attributes:
        pixels: the pictures.
        captions: of each picture, in the same order; the first is the one where only one is wanted.
        origin: where they come from, for messages, e.g. ``photos/captions.csv``.
    """

    pixels: Pixels
    captions: Sequence[Sequence[str]]
    origin: str = "the data"

    def __post_init__(self) -> None:
        if len(self.captions) != len(self.pixels):
            raise UserError(
                f"{self.origin}: found captions of {len(self.captions)} pictures and {len(self.pixels)} pictures;"
                " allowed: a list of captions for each picture, in their order"
            )
        lacking = [self.pixels.name(row) for row, captions in enumerate(self.captions) if not _whole(captions)]
        if lacking:
            raise UserError(
                f"{self.origin}: found a caption that is missing or empty: {listed(lacking, MOST_NAMED)}; allowed: a"
                f" list of one or more a picture, each with text; add {'it' if len(lacking) == 1 else 'them'} or leave"
                f" the picture{'' if len(lacking) == 1 else 's'} out"
            )

    def __len__(self) -> int:
        return len(self.captions)

    def write(self, rows: np.ndarray, writing: Writing) -> tuple[dict[str, Sequence], dict]:
        """Write the pictures, and return beside their columns ``captions`` (lists) and ``caption`` (the first of each).

        See `trakway.data.source.Examples` and `trakway.data.pixels.Pixels.write`, whose files and facts these are.
        """
        columns, facts = self.pixels.write(rows, writing)
        captions = [list(self.captions[row]) for row in rows]
        return columns | {"captions": captions, "caption": [of_one[0] for of_one in captions]}, facts


def _whole(captions: object) -> bool:
    """Whether the captions of a picture are a list of texts, one at least, none of them blank."""
    if isinstance(captions, str) or not isinstance(captions, Sequence):
        return False
    return len(captions) > 0 and all(isinstance(caption, str) and caption.strip() for caption in captions)


@dataclass(frozen=True)
class CaptionData:
    """A prepared data set of pictures with captions.

    Attributes:
        images: the pictures, their labels and classes.
        captions: of each split, ``train`` and ``test``, the captions of each picture, one at least, in the order of
            the pictures.
    """

    images: ImageData
    captions: dict[str, list[list[str]]]

    @classmethod
    def load(cls, folder: str | os.PathLike) -> "CaptionData":
        """Open what ``prepare`` wrote into ``folder``; the pictures stay on disk.

        Raises:
            UserError: a file is missing, damaged, or does not belong to the others, or the examples have no captions.
        """
        images, folder = ImageData.load(folder), Path(folder)
        try:
            examples = read_table(folder / "examples.parquet")
            captions = {
                split: [list(of_one) for of_one in examples.loc[examples["split"] == split, "captions"]]
                for split in ("train", "test")
            }
            if not all(_whole(of_one) for split in captions.values() for of_one in split):
                raise ValueError("examples.parquet has a picture without a caption")
        except (OSError, TypeError, ValueError, KeyError) as error:
            raise UserError(
                f"{folder}: not a whole data set of pictures with captions ({error}); remove the folder and prepare"
                " the data again"
            ) from error
        return cls(images, captions)

    @cached_property
    def labels(self) -> dict[str, int]:
        """Class of each caption of the training pictures; of several classes that share one, the last picture's."""
        known = zip(self.images.train_labels.tolist(), self.captions["train"], strict=True)
        return {caption: label for label, of_one in known for caption in of_one}

    def check_exchange(self, number: int) -> None:
        """Check that the captions of some samples can be exchanged for those of other classes.

        Args:
            number: of the samples, ``targets.exchanged``.

        Raises:
            UserError: all captions are of one class.
        """
        found = sorted({self.images.classes[label] for label in self.labels.values()})
        if number and len(found) < 2:
            raise UserError(
                f"targets.exchanged: found {number}, and the dataset has captions of one class only, {listed(found)};"
                " allowed: 0, since a caption is exchanged for one of another class; set it to 0, or give the pictures"
                " labels, and captions that differ between them"
            )
