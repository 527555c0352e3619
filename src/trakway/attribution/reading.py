"""Features and outputs, as shards left them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trakway.attribution.values import Features
from trakway.errors import UserError
from trakway.metrics.lds import by_subset
from trakway.plan import check_once
from trakway.projection import VERSION
from trakway.storage.files import read_array, read_json


def load_features(folders: Sequence[Path]) -> list[Features]:
    """Map the features of shards, in order, one entry a member.

    Args:
        folders: the shards' folders, each with ``train.json`` beside its arrays and, where there are features of
            targets, ``targets.json``.

    Raises:
        UserError: a member is in two of the shards; or two shards, or a shard and this program, differ in the
            projection or its definition.
    """
    check_once(folders)
    entries, first = [], None
    for folder in map(Path, folders):
        info = read_json(folder / "train.json")
        described = [info] + ([read_json(folder / "targets.json")] if (folder / "targets.json").exists() else [])
        for one in described:
            made = one["projection"] | {key: one[key] for key in ("definition", "parameters", "function")}
            first = first or (folder, made)
            if made != first[1] or one["definition"] != VERSION:
                raise UserError(
                    f"features in {folder}: made with {made}, but {first[0]} with {first[1]}, and this program "
                    f"makes definition {VERSION}; features of two projections cannot be mixed: delete both and run "
                    "again"
                )
        train, weights = (read_array(folder / f"{name}.npy") for name in ("train", "weights"))
        targets = read_array(folder / "targets.npy") if len(described) > 1 else [None] * len(train)
        entries += [
            Features(train[m], targets[m], np.asarray(weights[m]), info["learning_rates"][m]) for m in range(len(train))
        ]
    return entries


def load_outputs(shards: Sequence[Path], subsets: int) -> np.ndarray:
    """Join shards of a bank's outputs, in order: float64 (subsets, seeds, targets), see `by_subset`.

    Raises:
        UserError: a model is in two of the shards, or the models are no whole number a subset.
    """
    check_once(shards)
    return by_subset(np.concatenate([read_array(path) for path in shards]), subsets)


def by(folders: Sequence[Path], key: str) -> list[tuple[int | str, list[Path]]]:
    """Sort feature folders by an entry of their ``train.json``."""
    found: dict = {}
    for folder in folders:
        found.setdefault(read_json(folder / "train.json")[key], []).append(folder)
    return sorted(found.items())
