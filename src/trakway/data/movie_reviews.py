"""Snippets of film reviews with the sentiment that people read in them (Hutto & Gilbert, VADER, ICWSM 2014).

10,605 sentences from Rotten Tomatoes, each with the mean of 20 ratings from -4 (very negative) to 4. A snippet with a
mean of at least a half either way is an example, positive or negative: 10,072 of them. There is no official split:
every fourth example in the order of the file is a test example, whatever the seed.
"""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.data.checksums import intact, write_checksums
from trakway.data.source import Source, Split, check_packed
from trakway.data.texts import Texts
from trakway.errors import UserError
from trakway.plan.datasets import Dataset
from trakway.storage.files import replacing

DATASET = Dataset(kind="texts", train_size=7554, test_size=2518)
CLASSES = ("negative", "positive")
CLEAR = 0.5  # the mean rating from which a snippet has a sentiment
LICENCE = "MIT, Copyright 2016 C.J. Hutto; cite Hutto & Gilbert, VADER, ICWSM 2014"
PACKED = Path(__file__).parent / "packed" / "movie_reviews"
FILE = "snippets.csv.gz"


def open_movie_reviews(dataset: dict) -> Source:
    """Open the snippets that are packed in this package.

    Args:
        dataset: ``source`` (auto or packed) and ``path`` (None): there is nothing to look for or to download.

    Raises:
        UserError: another source, or a path.
        DamagedFile: the pack is not what it was.
    """
    check_packed(dataset, "movie_reviews", "text_files for texts")
    table = read_pack(PACKED)
    table = table[table["score"].abs() >= CLEAR]
    test = np.arange(len(table)) % 4 == 3
    splits = (_split(table[part]) for part in (~test, test))
    return Source("movie_reviews", LICENCE, CLASSES, *splits)


def _split(table: pd.DataFrame) -> Split:
    labels = (table["score"] > 0).to_numpy(np.int64)
    return Split(Texts(table["text"].tolist(), origin="movie_reviews"), labels, table["id"].to_numpy(np.int64))


def read_pack(folder: Path) -> pd.DataFrame:
    """Return the packed snippets: id, score, text.

    Raises:
        DamagedFile: the file does not have its checksum.
    """
    path = intact(folder / FILE)
    return pd.read_csv(path, dtype={"id": np.int64, "score": np.float64, "text": str}, keep_default_na=False)


def pack(source: Path, output: Path) -> int:
    """Write the pack from ``movieReviewSnippets_GroundTruth.txt`` of the authors; returns its size in bytes.

    Raises:
        UserError: a line is not id, score and text, separated by tabs.
    """
    rows = []
    for number, line in enumerate(source.read_text(encoding="utf-8").rstrip("\n").split("\n"), 1):
        parts = line.split("\t")
        if len(parts) != 3:
            raise UserError(f"{source}, line {number}: found {len(parts)} columns; allowed: id, score, text")
        rows.append((int(parts[0]), float(parts[1]), parts[2].strip()))
    text = pd.DataFrame(rows, columns=["id", "score", "text"]).to_csv(index=False, lineterminator="\n")
    content = gzip.compress(text.encode(), 9, mtime=0)
    with replacing(output / FILE) as temporary:
        temporary.write_bytes(content)
    write_checksums(output, [FILE])
    return len(content)
