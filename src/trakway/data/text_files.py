"""Texts of the user's own: a table of texts and labels, as CSV, TSV, Parquet or JSON lines."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.data.sampling import held_out
from trakway.data.source import Source, Split, listed
from trakway.data.texts import MOST_NAMED, Texts, check_columns
from trakway.data.utf8 import not_utf8, read_delimited
from trakway.errors import UserError
from trakway.plan.datasets import Dataset

DATASET = Dataset(kind="texts")
LICENCE = "the owner's"
SUFFIXES = {".csv": ",", ".tsv": "\t", ".parquet": "", ".jsonl": ""}
MOST_CLASSES = 0.5  # of the rows


def open_text_files(
    dataset: dict, *, test: str | None = None, text: str = "text", text_pair: str | None = None, label: str = "label"
) -> Source:
    """Read the file ``dataset.path``.

    Args:
        dataset: ``path``: of the training examples; ``source`` is auto or folder.
        test: file of the test examples; without one a quarter of the rows of ``path``, drawn whatever the seed.
        text: name of the column of the texts.
        text_pair: of the second texts, such as the answer to a question; None where there are none.
        label: of the labels, names or whole numbers; classes are sorted by them.

    Raises:
        UserError: a file or column is not there, a text or label is empty, there is one class only, or a file is not
            what its name says; names file and row.
    """
    if dataset["source"] not in ("auto", "folder"):
        raise UserError(f"dataset.source: text_files has no {dataset['source']!r}; use auto or folder")
    if dataset["path"] is None:
        raise UserError(f"dataset.path: text_files needs the file of the examples; allowed: {', '.join(SUFFIXES)}")
    columns = {"text": text, "text_pair": text_pair, "label": label}
    tables = [_read("path", dataset["path"], columns)]
    if test is not None:
        tables.append(_read("test", test, columns))
    for origin, table in tables:
        if table.empty:
            raise UserError(f"{origin}: found no row; allowed: an example a row, below the heading; add some")
    names = sorted({name for _, table in tables for name in table["label"]}, key=_by_number)
    origin, table = tables[0]
    if len(names) < 2:
        raise UserError(
            f"{origin}: found one class only, {listed(names)}; allowed: two at least; add examples of others"
        )
    if len(names) > MOST_CLASSES * len(table):
        raise UserError(
            f"{origin}: found {len(names)} classes in the {len(table)} rows of column {label!r}; allowed: labels that"
            " several rows share; name another column in dataset.label, or sort numbers into classes first"
        )
    splits = [_split(name, part, names, text_pair) for name, part in tables]
    if test is None:
        splits = [_part(splits[0], rows) for rows in held_out(len(table), "text_files")]
    return Source(Path(dataset["path"]).stem, LICENCE, tuple(names), *splits)


def _by_number(name: str) -> tuple:
    """Sort whole numbers by their value, before names."""
    return (0, int(name), "") if name.lstrip("-").isdecimal() else (1, 0, name)


def _read(key: str, path: str, columns: dict[str, str | None]) -> tuple[str, pd.DataFrame]:
    """Return a file's name, and its columns as text: ``text``, perhaps ``text_pair``, and ``label``."""
    file = Path(path).expanduser()
    if file.suffix not in SUFFIXES:
        raise UserError(f"dataset.{key}: found {path}; allowed: a file that ends in {', '.join(SUFFIXES)}")
    if not file.is_file():
        raise UserError(f"dataset.{key}: there is no file {file}; give its path, from the folder of the experiment")
    table = _lines(file) if file.suffix == ".jsonl" else _table(file)
    check_columns(str(file), columns, list(map(str, table.columns)))
    chosen = table[[column for column in columns.values() if column]]
    chosen.columns = [option for option, column in columns.items() if column]
    labels = chosen["label"].map(_label)
    missing = np.flatnonzero(labels == "")
    if len(missing):
        rows = listed([str(row + _first(file)) for row in missing], MOST_NAMED)
        raise UserError(f"{file}: found no label in row {rows}; allowed: one in every row; fill or remove them")
    return str(file), chosen.assign(label=labels)


def _label(value: object) -> str:
    """Return the name of a label; empty for none."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _first(file: Path) -> int:
    """Return the number of the first row, as editors count: a table of text has a heading."""
    return 2 if SUFFIXES[file.suffix] else 1


def _table(file: Path) -> pd.DataFrame:
    if file.suffix != ".parquet":
        return read_delimited(file, SUFFIXES[file.suffix])
    try:
        return pd.read_parquet(file)
    except (ValueError, OSError) as error:  # pyarrow's errors are of these
        raise UserError(f"{file}: cannot be read as parquet ({' '.join(str(error).split())})") from error


def _lines(file: Path) -> pd.DataFrame:
    rows = []
    for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise not_utf8(file) from error
        except ValueError as error:
            raise UserError(f"{file}, line {number}: found no JSON ({error}); allowed: an object a line") from None
        if not isinstance(row, dict):
            raise UserError(f"{file}, line {number}: found a {type(row).__name__}; allowed: an object a line")
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)


def _split(origin: str, table: pd.DataFrame, names: list[str], text_pair: str | None) -> Split:
    pairs = None if text_pair is None else table["text_pair"].tolist()
    texts = Texts(table["text"].tolist(), pairs, origin, _first(Path(origin)))
    labels = table["label"].map({name: number for number, name in enumerate(names)}).to_numpy(np.int64)
    return Split(texts, labels, np.arange(len(table)))


def _part(split: Split, rows: np.ndarray) -> Split:
    whole = split.examples
    pairs = None if whole.pairs is None else [whole.pairs[row] for row in rows]
    return Split(Texts([whole.texts[row] for row in rows], pairs), split.labels[rows], split.ids[rows])
