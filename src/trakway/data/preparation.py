"""Writing the files of one data set: a table of examples, facts as JSON, and what its kind adds, such as images."""

import logging
import os
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.data.sampling import sample, shortage
from trakway.data.source import Source, Split, Writing, did_you_mean, listed, pick_classes
from trakway.errors import UserError
from trakway.plan.declarations import keyword_options
from trakway.plan.loading import load
from trakway.plan.options import FIXED, options_of
from trakway.plan.places import place
from trakway.storage.files import write_json, write_table
from trakway.storage.fingerprint import fingerprint

DEFAULTS = {"source": "auto", "path": None, "classes": None, "train_size": None, "test_size": None, "image_size": None}
SOURCES = ("auto", "packed", "folder", "download")

log = logging.getLogger(__name__)


def prepare(
    dataset: dict,
    seed: int,
    folder: str | os.PathLike,
    *,
    block: int = 1024,
    threads: int = 1,
) -> None:
    """Draw a data set and write ``examples.parquet``, ``meta.json`` and what the kind of its examples adds.

    Images are written block by block, and a call that was cut off goes on from its last whole block. The bytes depend
    on the source, ``dataset`` and ``seed`` alone.

    Args:
        dataset: the section ``dataset`` of an experiment: ``name`` (of a file of this room, or ``FILE.py:FUNCTION``)
            and, optionally, ``source`` (auto, packed, folder, download), ``path``, ``classes`` (names in the order that
            numbers the labels; None: all), ``train_size`` and ``test_size`` (examples in all, as equal as possible
            over the classes; None: all) and ``image_size`` (side in pixels; None: as they are). What else it holds
            are options of the function.
        seed: the experiment's seed.
        folder: where to write.
        block: examples held in memory at a time; changes no byte.
        threads: files decoded at a time; changes no byte.

    Raises:
        UserError: a key is wrong, or the data are missing, damaged or too few.
    """
    dataset = _checked(dataset)
    source = open_source(dataset)
    picked = pick_classes(dataset["classes"], source.classes)
    splits = {"train": source.train, "test": source.test}
    _check_sizes(dataset, source, splits, picked)
    rows = {
        name: sample(split.labels, picked, dataset[f"{name}_size"], seed, index)
        for index, (name, split) in enumerate(splits.items())
    }
    write_source(source, rows, picked, dataset, seed, Path(folder), block, threads)


def open_source(dataset: dict) -> Source:
    """Return the data set that the section ``dataset`` names, as it was found.

    Raises:
        UserError: it is missing or damaged, or a user's own function returns something else.
    """
    source = load("dataset", dataset["name"])(DEFAULTS | dataset, **options_of("dataset", dataset))
    if not isinstance(source, Source):
        raise UserError(
            f"dataset.name: {dataset['name']} returned a {type(source).__name__}; allowed: a trakway.data.source.Source"
        )
    for name, split in (("train", source.train), ("test", source.test)):
        _check_split(f"dataset.name: {dataset['name']}: {name}", split, len(source.classes))
    return source


def write_source(
    source: Source,
    chosen: dict[str, np.ndarray],
    picked: list[int],
    dataset: dict,
    seed: int,
    folder: Path,
    block: int = 1024,
    threads: int = 1,
) -> None:
    """Write examples of a source.

    Args:
        source: where they come from.
        chosen: of ``train`` and ``test``, the rows of the source, in their new order.
        picked: the labels of the source that get the numbers 0, 1, ….
        dataset: the section ``dataset``, whole.
        seed: the experiment's seed.
        folder: where to write.
        block: as `prepare` has it.
        threads: likewise.
    """
    tables, counts, facts = [], {}, {}
    for name, rows in chosen.items():
        split = {"train": source.train, "test": source.test}[name]
        mark = fingerprint(dataset | {"seed": seed}, split.ids[rows], split.labels[rows])
        columns, told = split.examples.write(rows, Writing(folder, name, dataset, mark, block, threads))
        tables.append(_examples(source, split, name, rows, picked).assign(**columns))
        counts[name] = len(rows)
        facts |= told if name == "train" else {}
    table = pd.concat(tables, ignore_index=True)
    write_table(folder / "examples.parquet", table)
    _note_duplicates(table)
    classes = [source.classes[label] for label in picked]
    known = {"source": source.name, "licence": source.licence, "classes": classes, "counts": counts}
    write_json(folder / "meta.json", known | facts)
    log.info("%s: %d training and %d test examples of %s", source.name, counts["train"], counts["test"], classes)


def _note_duplicates(table: pd.DataFrame) -> None:
    """Say how many examples are there twice: copies share an attribution, and tests among them are too easy."""
    hashes = {split: table.loc[table["split"] == split, "sha256"] for split in ("train", "test")}
    again, known = int(hashes["train"].duplicated().sum()), int(hashes["test"].isin(hashes["train"]).sum())
    if again:
        print(f"note: {again} training examples are copies of others")
    if known:
        print(f"note: {known} test examples are training examples too")


def _checked(dataset: dict) -> dict:
    dataset = DEFAULTS | dataset
    found = place("dataset", str(dataset.get("name")))
    allowed = [*FIXED["dataset"], *keyword_options(*found)]
    for key in dataset:
        if key not in allowed:
            raise UserError(f"dataset.{key}: unknown key{did_you_mean(key, allowed)}. Known keys: {listed(allowed)}")
    if dataset["source"] not in SOURCES:
        near = did_you_mean(dataset["source"], SOURCES)
        raise UserError(f"dataset.source: found {dataset['source']!r}{near}; use one of {listed(SOURCES)}")
    for key in ("train_size", "test_size", "image_size"):
        value = dataset[key]
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise UserError(f"dataset.{key}: found {value!r}; use a whole number of at least 1, or null")
    classes = dataset["classes"]
    if classes is not None and (isinstance(classes, str) or not all(isinstance(name, str) for name in classes)):
        raise UserError(f"dataset.classes: found {classes!r}; use a list of names, or null for all")
    return dataset


def _check_split(what: str, split: Split, classes: int) -> None:
    """Check that every example has one label and one id, whole numbers.

    Raises:
        UserError: the split of a user's own function does not.
    """
    number = len(split.examples)
    for key, values in (("labels", split.labels), ("ids", split.ids)):
        if not isinstance(values, np.ndarray) or values.shape != (number,) or values.dtype.kind not in "iu":
            found = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
            raise UserError(
                f"{what}: found {key} {found} of {number} examples; allowed: an array of whole numbers ({number},)"
            )
    if number and not 0 <= split.labels.min() <= split.labels.max() < classes:
        raise UserError(
            f"{what}: found labels from {split.labels.min()} to {split.labels.max()}; allowed: 0 to {classes - 1},"
            " places in the classes"
        )
    if len(np.unique(split.ids)) < number:
        raise UserError(
            f"{what}: found ids that are given twice; allowed: a number of its own for each example of a split"
        )


def _check_sizes(dataset: dict, source: Source, splits: dict[str, Split], picked: list[int]) -> None:
    size = dataset["train_size"]
    if size is not None and size < len(picked):
        raise UserError(f"dataset.train_size: found {size}, fewer than the {len(picked)} classes; ask for more")
    for name, split in splits.items():
        short = shortage(split.labels, picked, dataset[f"{name}_size"])
        if short and dataset[f"{name}_size"]:
            label, count, needed = short
            found = f"{source.classes[label]} has {count} {name} examples"
            raise UserError(f"dataset.{name}_size: {found}, {needed} are needed; ask for fewer")
        if short:
            raise _too_few(dataset, source, short[0], len(picked))


def _too_few(dataset: dict, source: Source, label: int, classes: int) -> UserError:
    """Return what to say of a class that lacks training or test examples, where no number of them is asked for."""
    where = f"dataset.name: {source.name}" if dataset["path"] is None else f"dataset.path: {dataset['path']}"
    train, test = (np.count_nonzero(split.labels == label) for split in (source.train, source.test))
    leave = f", or leave {source.classes[label]} out of dataset.classes" if classes > 1 else ""
    return UserError(
        f"{where}: found {train} training and {test} test examples of {source.classes[label]}; allowed: one of each at"
        f" least, where a quarter of data without test examples of their own is kept for testing; add some{leave}"
    )


def _examples(source: Source, split: Split, name: str, rows: np.ndarray, picked: list[int]) -> pd.DataFrame:
    number = np.full(len(source.classes), -1)
    number[picked] = np.arange(len(picked))
    labels = split.labels[rows]
    return pd.DataFrame(
        {
            "id": split.ids[rows],
            "split": name,
            "row": np.arange(len(rows)),
            "label": number[labels],
            "label_name": np.array(source.classes, dtype=object)[labels],
            "caption": "",
            "source": source.name,
        }
    )
