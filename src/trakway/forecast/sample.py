"""A few examples in the place of a data set, to measure with: its own where they are at hand, else made-up ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trakway.data.made_up import made_up
from trakway.data.preparation import open_source, write_source
from trakway.data.sampling import sample
from trakway.data.source import Source, pick_classes
from trakway.errors import UserError
from trakway.plan.datasets import dataset_of

EXAMPLES = {"train": 64, "test": 16}
PIXELS = 1 << 23  # most of all pictures of a split together


@dataclass(frozen=True)
class Counts:
    """How many examples an experiment has.

    Attributes:
        train, test: of each split, n and m.
        classes: of the data.
        sampled_train, sampled_test: those written to measure with.
    """

    train: int
    test: int
    classes: int
    sampled_train: int
    sampled_test: int


def write_sample(settings: dict, folder: Path) -> Counts:
    """Write a prepared data set of few examples.

    Raises:
        UserError: neither the settings nor the declaration of the data set say how many examples it has.
    """
    dataset, known = settings["dataset"], dataset_of(settings)
    side = dataset["image_size"] or known.side or 0
    if known.remote:
        source, sizes = None, _declared(dataset, {"train": known.train_size, "test": known.test_size}, known.classes)
        classes = dataset["classes"] or [f"class {number}" for number in range(known.classes or 2)]
    else:
        source = open_source(dataset)
        picked = pick_classes(dataset["classes"], source.classes)
        classes = [source.classes[label] for label in picked]
        sizes = {name: dataset[f"{name}_size"] or _of_classes(source, name, picked) for name in EXAMPLES}
    most = max(16, PIXELS // max(1, (known.channels or 3) * side * side))
    few = {name: min(size, EXAMPLES[name], most) for name, size in sizes.items()}
    if source is None:
        source = made_up(known, classes, side, few, pairs=bool(dataset.get("text_pair")))
        rows, picked = {name: np.arange(count) for name, count in few.items()}, list(range(len(classes)))
    else:
        few = {name: min(sizes[name], max(count, len(picked))) for name, count in few.items()}
        rows = {
            name: sample(getattr(source, name).labels, picked, few[name], settings["seed"], place)
            for place, name in enumerate(few)
        }
    write_source(source, rows, picked, dataset, settings["seed"], folder)
    return Counts(sizes["train"], sizes["test"], len(classes), few["train"], few["test"])


def _of_classes(source: Source, name: str, picked: list[int]) -> int:
    return int(np.isin(getattr(source, name).labels, picked).sum())


def _declared(dataset: dict, known: dict[str, int | None], classes: int | None) -> dict[str, int]:
    share = len(dataset["classes"]) / classes if dataset["classes"] and classes else 1.0
    sizes = {name: dataset[f"{name}_size"] or (size and round(size * share)) for name, size in known.items()}
    for name, size in sizes.items():
        if size is None:
            raise UserError(
                f"dataset.{name}_size: found null, and how many examples {dataset['name']} has is known once it is"
                " opened; allowed for a forecast: a whole number; set it"
            )
    return sizes
