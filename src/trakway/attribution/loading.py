"""Gather the material of an experiment from its files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trakway.attribution.material import Features, Material
from trakway.data import ImageData
from trakway.errors import UserError
from trakway.files import read_array, read_json, read_table
from trakway.projection import VERSION


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
        made = info["projection"] | {"definition": info["definition"], "parameters": info["parameters"]}
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
        targets: the table of targets, evaluated ones first.
        features: shard folders of the final checkpoints.
        checkpoints: shard folders of all checkpoints in order of training; ``info.json`` tells them apart.
        representations: folder with ``train.npy`` and ``targets.npy``.
        masks: subsets of the estimation bank.
        outputs: shards of its models' outputs, in order.
        seeds_per_subset: models of each of its subsets.
        block: training examples at a time.
        device: where to compute.

    Returns:
        (material of all targets, number of evaluated targets: the rest are for tuning).
    """
    images = ImageData.load(data)
    table = read_table(targets)
    rows = table["row"].to_numpy()
    by_checkpoint: dict[int, list[Path]] = {}
    for folder in map(Path, checkpoints):
        by_checkpoint.setdefault(read_json(folder / "info.json")["checkpoint"], []).append(folder)
    material = Material(
        seed=seed,
        size=len(images.train_labels),
        targets=len(rows),
        features=load_features(features),
        checkpoints=[load_features(by_checkpoint[index]) for index in sorted(by_checkpoint)],
        representations=[
            pair
            for pair in zip(
                read_array(representations / "train.npy"), read_array(representations / "targets.npy"), strict=True
            )
        ]
        if representations
        else (),
        images=(images.train_images, images.test_images[rows]),
        labels=(images.train_labels, images.test_labels[rows]),
        masks=None if masks is None else read_array(masks),
        outputs=load_outputs(outputs, seeds_per_subset).mean(1) if outputs else None,
        block=block,
        device=device,
    )
    return material, int((table["role"] == "evaluation").sum())


def load_outputs(shards: Sequence[Path], seeds_per_subset: int) -> np.ndarray:
    """Join shards of an ensemble's outputs: float64 (subsets, seeds, targets)."""
    outputs = np.concatenate([read_array(path) for path in shards])
    return outputs.reshape(-1, seeds_per_subset, outputs.shape[1])
