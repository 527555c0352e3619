"""Colour emoji at 32×32 with their names (Noto Color Emoji 2.042; names and groups of Unicode 15.0).

3,655 pictures on white, in the order of Unicode's list; its nine groups are the classes. An emoji without a skin tone
is followed there by its variants with one. Every fifth of these families is for testing, whatever the seed: none is in
both splits. Captions are the name, and the name with the group.
"""

import lzma
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.data.captioned import Captioned
from trakway.data.checksums import intact
from trakway.data.pixels import ArrayPixels
from trakway.data.source import Source, Split, check_packed
from trakway.plan.datasets import Dataset

DATASET = Dataset(kind="captioned", side=32)
SIDE = 32
SKIN_TONES = {"1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF"}
LICENCE = "pictures SIL OFL 1.1, Copyright 2022 Google Inc.; names Unicode licence, © 2022 Unicode, Inc."
PACKED = Path(__file__).parent / "packed" / "emoji"
PICTURES = "pictures.xz"
WORDS = "captions.csv.gz"


def open_emoji(dataset: dict, *, variants: bool = False) -> Source:
    """Open the emoji that are packed in this package.

    Args:
        dataset: ``source`` (auto or packed) and ``path`` (None): there is nothing to look for or to download.
        variants: whether variants by skin tone, which are near duplicates, belong to the data; without them there are
            about half as many. Men and women have names of their own and always belong to them.

    Raises:
        UserError: another source, or a path.
        DamagedFile: the pack is not what it was.
    """
    check_packed(dataset, "emoji", "captioned_folder for pictures")
    words, pictures = read_pack(PACKED)
    toned = np.array([not SKIN_TONES.isdisjoint(codepoints.split()) for codepoints in words["codepoints"]])
    family = np.cumsum(~toned) - 1
    test, kept = family % 5 == 4, ~toned | variants
    classes = tuple(words["group"].unique())
    splits = (_split(words, pictures, np.flatnonzero(part & kept), classes) for part in (~test, test))
    return Source("emoji", LICENCE, classes, *splits)


def captions_of(name: str, group: str) -> list[str]:
    """Return the captions of an emoji, the plain name first."""
    return [name, f"{name}, an emoji of {group.lower().replace('&', 'and')}"]


def _split(words: pd.DataFrame, pictures: np.ndarray, rows: np.ndarray, classes: tuple[str, ...]) -> Split:
    part = words.iloc[rows]
    captions = [captions_of(name, group) for name, group in zip(part["name"], part["group"], strict=True)]
    labels = part["group"].map({name: label for label, name in enumerate(classes)}).to_numpy(np.int64)
    pixels = ArrayPixels(pictures[rows].transpose(0, 3, 1, 2))
    return Split(Captioned(pixels, captions, "emoji"), labels, rows)


def read_pack(folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Return (words, pictures): codepoints, name, group and subgroup of each emoji, and uint8 (emoji, 32, 32, 3).

    Raises:
        DamagedFile: a file does not have its checksum.
    """
    words = pd.read_csv(intact(folder / WORDS), dtype=str, keep_default_na=False)
    pixels = np.frombuffer(lzma.decompress(intact(folder / PICTURES).read_bytes()), np.uint8)
    return words, pixels.reshape(len(words), SIDE, SIDE, 3)
