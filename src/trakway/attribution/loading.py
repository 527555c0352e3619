"""Gather the material of an experiment from its files."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.attribution.material import Features, Material
from trakway.data import ImageData
from trakway.errors import UserError
from trakway.plan import window_timestep
from trakway.projection import VERSION
from trakway.storage.files import read_array, read_json, read_table
from trakway.targets.table import seen_by


def load_features(folders: Sequence[Path]) -> list[Features]:
    """Map the features of shards, in order, one entry a member.

    Args:
        folders: the shards' folders, each with ``info.json`` beside its arrays.

    Raises:
        UserError: two shards, or a shard and this program, differ in the projection or its definition.
    """
    entries, first = [], None
    for folder in map(Path, folders):
        info = read_json(folder / "info.json")
        made = info["projection"] | {key: info[key] for key in ("definition", "parameters", "function")}
        first = first or (folder, made)
        if made != first[1] or info["definition"] != VERSION:
            raise UserError(
                f"features in {folder}: made with {made}, but {first[0]} with {first[1]}, and this program "
                f"makes definition {VERSION}; features of two projections cannot be mixed: delete both and run again"
            )
        train, targets, weights = (read_array(folder / f"{name}.npy") for name in ("train", "targets", "weights"))
        entries += [
            Features(train[m], targets[m], np.asarray(weights[m]), info["learning_rates"][m]) for m in range(len(train))
        ]
    return entries


def load_material(
    seed: int,
    data: Path,
    targets: Path,
    features: Sequence[Path] = (),
    checkpoints: Sequence[Path] = (),
    representations: Path | None = None,
    norm: Sequence[Path] = (),
    windows: Sequence[Path] = (),
    masks: Path | None = None,
    outputs: Sequence[Path] = (),
    seeds_per_subset: int = 1,
    block: int = 4096,
    device: str = "cpu",
) -> tuple[Material, int]:
    """Gather what was computed; what is not given stays empty.

    Args:
        seed: the experiment's seed.
        data: folder of the prepared data.
        targets: the table of targets, evaluated ones first; images that were generated lie beside it.
        features: shard folders of the final checkpoints.
        checkpoints: shard folders of all checkpoints in order of training; ``info.json`` tells them apart.
        representations: folder with ``train.npy`` and ``targets.npy``.
        norm: as features, of the squared norm of the prediction.
        windows: as features, of steps around a timestep; ``info.json`` tells them apart.
        masks: subsets of the estimation bank.
        outputs: shards of its models' outputs, in order.
        seeds_per_subset: models of each of its subsets.
        block: training examples at a time.
        device: where to compute.

    Returns:
        (material of all targets, number of evaluated targets: the rest are for tuning).
    """
    table = read_table(targets)
    own = load_features(features)
    material = Material(
        seed=seed,
        **_pictures(ImageData.load(data), table, Path(targets).parent),
        targets=len(table),
        features=own,
        checkpoints=[load_features(folders) for _, folders in _by(checkpoints, "checkpoint")],
        norm=load_features(norm),
        windows={
            # The gradients of targets at a step are those of the output.
            window_timestep(function): [
                dataclasses.replace(entry, targets=whole.targets)
                for entry, whole in zip(load_features(folders), own, strict=True)
            ]
            for function, folders in _by(windows, "function")
        },
        representations=[
            pair
            for pair in zip(
                read_array(representations / "train.npy"), read_array(representations / "targets.npy"), strict=True
            )
        ]
        if representations
        else (),
        masks=None if masks is None else read_array(masks),
        outputs=load_outputs(outputs, seeds_per_subset).mean(1) if outputs else None,
        block=block,
        device=device,
    )
    return material, int((table["role"] == "evaluation").sum())


def _by(folders: Sequence[Path], key: str) -> list[tuple[int | str, list[Path]]]:
    """Sort feature folders by an entry of their ``info.json``."""
    found: dict = {}
    for folder in map(Path, folders):
        found.setdefault(read_json(folder / "info.json")[key], []).append(folder)
    return sorted(found.items())


def _pictures(images: ImageData, table: pd.DataFrame, folder: Path) -> dict:
    """Return what the table of targets and the images say: of test examples, or of generated images and their steps."""
    known = {"size": len(images.train_labels)}
    if (table["kind"] == "test").all():
        rows = table["row"].to_numpy()
        return known | {
            "images": (images.train_images, images.test_images[rows]),
            "labels": (images.train_labels, images.test_labels[rows]),
        }
    whole = table["timestep"].isna().to_numpy() & (table["patch"] == "").to_numpy()
    places = dict(zip(table["target"][whole], np.flatnonzero(whole), strict=True))
    final = read_array(folder / "images.npy")[table["target"]]
    return known | {
        "images": (images.train_images, final),
        "estimates": seen_by(table, folder),
        "final": table["target"].map(places).to_numpy(),
        "timesteps": table["timestep"].fillna(-1).to_numpy(np.int64),
    }


def load_outputs(shards: Sequence[Path], seeds_per_subset: int) -> np.ndarray:
    """Join shards of an ensemble's outputs: float64 (subsets, seeds, targets)."""
    outputs = np.concatenate([read_array(path) for path in shards])
    return outputs.reshape(-1, seeds_per_subset, outputs.shape[1])
