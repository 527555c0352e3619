"""Texts from any data set that the package ``datasets`` opens, such as QNLI and SST-2 of GLUE."""

import numpy as np

from trakway.data.source import Source, Split, did_you_mean, listed
from trakway.data.texts import Texts, check_columns
from trakway.errors import UserError
from trakway.plan.datasets import Dataset

DATASET = Dataset(kind="texts", remote=True)


def open_hub_texts(
    dataset: dict,
    *,
    repository: str = "nyu-mll/glue",
    subset: str | None = None,
    text: str = "text",
    text_pair: str | None = None,
    label: str = "label",
    train_split: str = "train",
    test_split: str = "validation",
) -> Source:
    """Open a data set.

    Args:
        dataset: ``source`` is auto or download; ``path``: where downloads are kept, None for the library's own place.
        repository: name on the hub of Hugging Face, or a folder of data files.
        subset: of the repository, e.g. ``qnli``; None where it has none.
        text: name of the column of the texts.
        text_pair: of the second texts; None where there are none.
        label: of the labels.
        train_split: name of the split of training examples.
        test_split: of test examples.

    Raises:
        UserError: the package, the data set, a split or a column is not there, or a text or label is missing.
    """
    if dataset["source"] not in ("auto", "download"):
        raise UserError(f"dataset.source: hub_texts has no {dataset['source']!r}; use auto or download")
    try:
        import datasets
    except ImportError:
        raise UserError("dataset.name: hub_texts needs the package datasets: pip install 'trakway[full]'") from None
    what = f"{repository}{f' ({subset})' if subset else ''}"
    try:
        found = datasets.load_dataset(repository, subset, cache_dir=dataset["path"])
    except Exception as error:  # of many libraries' own kinds: network, formats, names
        said = " ".join(str(error).split())[:300]
        raise UserError(
            f"dataset.repository: {what} cannot be opened ({said}); check the name, or download it on a machine with a"
            " network and give its folder"
        ) from error
    columns = {"text": text, "text_pair": text_pair, "label": label}
    splits = [_split(found, name, columns, what) for name in (train_split, test_split)]
    feature = found[train_split].features[label]
    numbered = isinstance(feature, datasets.ClassLabel)  # its labels are numbers of names already
    values = list(range(len(feature.names))) if numbered else sorted(set(found[train_split][label]))
    names = feature.names if numbered else [str(value) for value in values]
    if len(names) < 2:
        raise UserError(f"dataset.label: {what} has one class only, {listed(names)}; allowed: two at least")
    numbers = {value: number for number, value in enumerate(values)}
    labelled = [Split(texts, _numbers(labels, numbers, what), ids) for texts, labels, ids in splits]
    return Source(what, found[train_split].info.license or "see its page on the hub", tuple(names), *labelled)


def _numbers(labels: list, numbers: dict, what: str) -> np.ndarray:
    unknown = sorted({str(value) for value in labels if value not in numbers})
    if unknown:
        raise UserError(f"{what}: found labels that no training example has: {listed(unknown)}; allowed: those it has")
    return np.array([numbers[value] for value in labels], np.int64)


def _split(found, name: str, columns: dict[str, str | None], what: str) -> tuple[Texts, list, np.ndarray]:
    if name not in found:
        raise UserError(
            f"dataset: {what} has no split {name!r}; allowed: {listed(list(found))}{did_you_mean(name, list(found))}"
        )
    table = found[name]
    check_columns(what, columns, table.column_names)
    labels = list(table[columns["label"]])
    missing = [row for row, value in enumerate(labels) if value in (None, -1)]  # -1: hidden, as in GLUE's test splits
    if missing:
        raise UserError(f"{what}, split {name}: found no label in row {missing[0]}; allowed: one in every row")
    pairs = None if columns["text_pair"] is None else list(table[columns["text_pair"]])
    return Texts(list(table[columns["text"]]), pairs, f"{what}, split {name}", 0), labels, np.arange(len(table))
