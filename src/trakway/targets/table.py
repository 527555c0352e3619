"""Which test examples are explained."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from trakway import seeds
from trakway.errors import UserError
from trakway.storage.files import read_array, read_json

COLUMNS = ("target", "row", "role", "label", "kind", "timestep", "patch", "caption")
"""Of the table of targets, one row an output that is attributed: number of the example it is of, which row of the test
split (or sample) that is, ``evaluation`` or ``tuning``, label (-1: none), ``test`` or ``generated``, step of the
sampling trajectory (missing: the whole example's output), part of the example (empty: all of it), and the caption that
a model is told with it (empty: none)."""

_ORDER = ("generated", "patch", "exchanged", "test")


class Group(NamedTuple):
    """Evaluated entries that are reported together.

    Attributes:
        kind: ``"generated"``, ``"patch NAME"``, ``"exchanged"`` (generated, under another caption) or ``"test"``.
        timestep: step of the sampling trajectory; None for the output of a whole image.
        positions: rows of the table of targets, ascending.
    """

    kind: str
    timestep: int | None
    positions: np.ndarray


def groups(table: pd.DataFrame) -> list[Group]:
    """Sort the evaluated entries of a table of targets by kind, timestep and patch.

    Args:
        table: of targets, see ``COLUMNS``.

    Returns:
        Generated images, then patches, then test images; within each the whole image's output first, then steps
        ascending.
    """
    evaluated = np.flatnonzero(table["role"] == "evaluation")
    found: dict[tuple[str, int | None], list[int]] = {}
    for position in evaluated:
        entry = table.iloc[position]
        kind = f"patch {entry['patch']}" if entry["patch"] else entry["kind"]
        timestep = None if pd.isna(entry["timestep"]) else int(entry["timestep"])
        found.setdefault((kind, timestep), []).append(position)
    order = sorted(found, key=lambda key: (_ORDER.index(key[0].split()[0]), -1 if key[1] is None else key[1]))
    return [Group(*key, np.array(found[key])) for key in order]


def draw_targets(labels: np.ndarray, count: int, tuning: int, seed: int) -> pd.DataFrame:
    """Draw targets from the test split without replacement.

    Args:
        labels: of the test split.
        count: evaluated targets.
        tuning: held-out targets, used to choose ridge and soft threshold and for nothing else.
        seed: the experiment's seed.

    Returns:
        ``COLUMNS``, the evaluated ones first. Either group is the same whatever the size of the other.

    Raises:
        UserError: the test split is too small.
    """
    if count + tuning > len(labels):
        raise UserError(
            f"targets: found count {count} + tuning {tuning}, allowed: {len(labels)} in all, the size of the test "
            "split; lower them or raise dataset.test_size"
        )
    order = seeds.generator(seed, "targets").permutation(len(labels))
    # One from each end: neither group depends on the size of the other.
    rows = np.concatenate([order[:count], order[len(order) - tuning :]])
    table = {
        "target": np.arange(len(rows)),
        "row": rows,
        "role": ["evaluation"] * count + ["tuning"] * tuning,
        "label": labels[rows],
        "kind": "test",
        "timestep": pd.NA,
        "patch": "",
        "caption": "",
    }
    return pd.DataFrame(table, columns=COLUMNS).astype({"timestep": "Int64"})


def seen_by(table: pd.DataFrame, folder: Path, states: str = "") -> np.ndarray:
    """Return the image that each entry's output is of: x̂_0(x_t) where it has a timestep, else the image itself.

    Args:
        table: entries of a diffusion experiment.
        folder: holds images.npy, estimates.npy and timesteps.json.
        states: how the names of the arrays begin where states of a model are wanted, see `trakway.tasks.Generative`.

    Returns:
        float32 (entries, C, H, W).
    """
    images, estimates = (read_array(folder / f"{states}{name}.npy") for name in ("images", "estimates"))
    position = {step: index for index, step in enumerate(read_json(folder / "timesteps.json"))}
    return np.stack(
        [
            images[image] if pd.isna(step) else estimates[image, position[step]]
            for image, step in zip(table["target"], table["timestep"], strict=True)
        ]
    )
