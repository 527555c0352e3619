import dataclasses

import numpy as np
import pandas as pd
import pytest

from trakway.attribution.loading import load_material
from trakway.plan import modalities
from trakway.storage.files import write_array, write_json, write_table


@pytest.fixture
def files(tmp_path):
    """Prepared data, targets, and what else a method may need; 12 training and 9 test examples, 5 targets."""
    rng = np.random.default_rng(0)
    data = tmp_path / "data"
    labels = {"train": rng.integers(0, 2, 12), "test": rng.integers(0, 2, 9)}
    tables = []
    for split, values in labels.items():
        write_array(data / f"{split}_images.npy", rng.integers(0, 256, (len(values), 1, 4, 4), np.uint8))
        tables.append(pd.DataFrame({"split": split, "row": np.arange(len(values)), "label": values}))
    write_table(data / "examples.parquet", pd.concat(tables))
    counts = {split: len(values) for split, values in labels.items()}
    write_json(data / "meta.json", {"classes": ["a", "b"], "mean": [0.5], "std": [0.2], "counts": counts})
    rows = np.array([7, 2, 5, 0, 8])
    roles = ["evaluation"] * 3 + ["tuning"] * 2
    whole = {"kind": "test", "timestep": None, "patch": ""}
    table = pd.DataFrame({"target": range(5), "row": rows, "role": roles, "label": labels["test"][rows], **whole})
    write_table(tmp_path / "targets.parquet", table)
    representations = {"train": rng.standard_normal((2, 12, 4)), "targets": rng.standard_normal((2, 5, 4))}
    for name, array in representations.items():
        write_array(tmp_path / "representations" / f"{name}.npy", array)
    write_array(tmp_path / "masks.npy", rng.random((6, 12)) < 0.5)
    outputs = rng.standard_normal((12, 5))
    for i, part in enumerate(np.split(outputs, [5])):
        write_array(tmp_path / f"outputs{i}.npy", part)
    return tmp_path, rows, labels, representations, outputs


@pytest.fixture
def load(tmp_path):
    """Load the material of some inputs."""

    def load(inputs, targets="targets.parquet", modality="image_classification", **options):
        return load_material(
            inputs,
            modality=modalities()[modality],
            data=tmp_path / "data",
            targets=tmp_path / targets,
            **{"seed": 0} | options,
        )

    return load


def descriptions(folders, names=("train", "targets")):
    return [folder / f"{name}.json" for folder in folders for name in names]


class TestMaterial:
    def test_the_least(self, files, load):
        folder, rows, labels, *_ = files
        material, evaluated = load({"examples": [], "labels": []}, seed=7)
        assert evaluated == 3
        assert (material.seed, material.size, material.targets) == (7, 12, 5)
        assert material.final is material.timesteps is None
        np.testing.assert_array_equal(material.examples.train, np.load(folder / "data/train_images.npy"))
        for pictures in (material.examples.targets, material.examples.seen):
            np.testing.assert_array_equal(pictures, np.load(folder / "data/test_images.npy")[rows])
        np.testing.assert_array_equal(material.labels[0], labels["train"])
        np.testing.assert_array_equal(material.labels[1], labels["test"][rows])
        assert material.inputs.keys() == {"examples", "labels"}

    def test_what_is_not_given_is_not_loaded(self, files, load):
        """Nor looked for."""
        (files[0] / "data/train_images.npy").unlink()
        material, evaluated = load({})
        assert (material.inputs, material.size, material.targets, evaluated) == ({}, 12, 5, 3)

    def test_everything(self, files, load, write_shards, random_material):
        folder, _, _, representations, outputs = files
        made = random_material(n=12, targets=5, members=3, checkpoints=3)
        checkpoints = {i: write_shards(folder / "features", made.checkpoints[i], [2, 3], i) for i in (2, 0, 1)}
        material, _ = load(
            {
                "features": descriptions(checkpoints[2]),
                # In no order of training.
                "checkpoints": [path for folders in checkpoints.values() for path in descriptions(folders)],
                "representations": [folder / f"representations/{name}.npy" for name in ("train", "targets")],
                "estimation": [folder / f"{name}.npy" for name in ("masks", "outputs0", "outputs1")],
            },
            block=17,
            device="anywhere",
        )
        assert (material.block, material.device) == (17, "anywhere")
        assert [len(entries) for entries in material.checkpoints] == [3, 3, 3]
        pairs = [(material.features, made.checkpoints[2]), *zip(material.checkpoints, made.checkpoints, strict=True)]
        for found, expected in pairs:
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one.train, other.train)
                np.testing.assert_array_equal(one.targets, other.targets)
                assert one.learning_rate == other.learning_rate
        for member, (train, targets) in enumerate(material.representations):
            np.testing.assert_array_equal(train, representations["train"][member])
            np.testing.assert_array_equal(targets, representations["targets"][member])
        np.testing.assert_array_equal(material.estimation.masks, np.load(folder / "masks.npy"))
        np.testing.assert_allclose(material.estimation.outputs, (outputs[::2] + outputs[1::2]) / 2)


STEPS = [700, 300]


@pytest.fixture
def journey_files(files):
    """The same data under two generated images with their journeys and a patch, a real one, and one for tuning."""
    folder, *_ = files
    rng = np.random.default_rng(1)
    whole = [(None, ""), (700, ""), (300, "")]
    entries = [(image, "generated", *entry, "evaluation") for image in (0, 1) for entry in (*whole, (300, "ear"))]
    entries += [(2, "test", None, "", "evaluation")]
    entries += [(3, "generated", *entry, "tuning") for entry in whole]
    table = pd.DataFrame(entries, columns=["target", "kind", "timestep", "patch", "role"]).astype({"timestep": "Int64"})
    write_table(folder / "journeys/targets.parquet", table.assign(row=table["target"], label=-1))
    images, estimates = (rng.random(shape, np.float32) for shape in ((4, 1, 4, 4), (4, 2, 1, 4, 4)))
    for name, array in (("images", images), ("estimates", estimates)):
        write_array(folder / f"journeys/{name}.npy", array)
    write_json(folder / "journeys/timesteps.json", STEPS)
    return folder, images, estimates


class TestJourneys:
    @pytest.fixture
    def load(self, load):
        return lambda inputs, **options: load(inputs, "journeys/targets.parquet", "image_diffusion", **options)

    def test_pictures(self, journey_files, load):
        folder, images, estimates = journey_files
        material, evaluated = load({"examples": [], "labels": []})
        assert (evaluated, material.targets, material.size) == (9, 12, 12)
        assert material.labels is None
        np.testing.assert_array_equal(material.examples.train, np.load(folder / "data/train_images.npy"))
        shown = [0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 3, 3]
        np.testing.assert_array_equal(material.examples.targets, images[shown])
        np.testing.assert_array_equal(material.timesteps, [-1, 700, 300, 300, -1, 700, 300, 300, -1, -1, 700, 300])
        assert material.timesteps.dtype == np.int64
        np.testing.assert_array_equal(material.final, [0, 0, 0, 0, 4, 4, 4, 4, 8, 9, 9, 9])
        place = {700: 0, 300: 1}
        for seen, image, step in zip(material.examples.seen, shown, material.timesteps, strict=True):
            np.testing.assert_array_equal(seen, images[image] if step < 0 else estimates[image, place[step]])

    def test_features_of_the_norm_and_of_windows(self, journey_files, load, write_shards, random_material):
        folder, *_ = journey_files
        made = random_material(n=12, targets=12, members=3, checkpoints=4)
        own, norm, early, late = made.checkpoints
        windows = [
            shard
            for function, part in (("window-300", early), ("window-700", late))
            for shard in write_shards(
                folder, [dataclasses.replace(entry, targets=None) for entry in part], [1, 3], 0, function
            )
        ]
        material, _ = load(
            {
                "features": descriptions(write_shards(folder, own, [2, 3])),
                "norm": descriptions(write_shards(folder, norm, [2, 3], 0, "norm")),
                "windows": descriptions(windows[2:] + windows[:2], ["train"]),
            }
        )
        assert material.windows.keys() == {300, 700}
        check = [(material.features, own), (material.norm, norm)]
        check += [(material.windows[300], early), (material.windows[700], late)]
        for found, made in check:
            for entry, expected in zip(found, made, strict=True):
                np.testing.assert_array_equal(entry.train, expected.train)
                np.testing.assert_array_equal(entry.weights, expected.weights)
                if found is material.features or found is material.norm:
                    np.testing.assert_array_equal(entry.targets, expected.targets)
                else:
                    assert entry.targets is None
