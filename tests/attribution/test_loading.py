import dataclasses

import numpy as np
import pandas as pd
import pytest

from trakway.attribution.loading import load_features, load_material, load_outputs
from trakway.attribution.methods import trak
from trakway.errors import UserError
from trakway.projection import VERSION
from trakway.storage.files import read_json, write_array, write_json, write_table


def write_shards(folder, members, cut, checkpoint=0, function="output"):
    """Write members' features in shards that end at ``cut``; returns the folders."""
    folders = []
    for start, stop in zip([0, *cut], cut, strict=False):
        part = members[start:stop]
        folders.append(folder / function / str(checkpoint) / f"{start}-{stop}")
        for name in ("train", "targets", "weights"):
            write_array(folders[-1] / f"{name}.npy", np.stack([getattr(entry, name) for entry in part]))
        info = {"projection": {"kind": "sjlt", "dim": 5, "nonzeros": 1}, "definition": VERSION, "parameters": 99}
        info |= {"function": function, "checkpoint": checkpoint, "members": list(range(start, stop))}
        write_json(folders[-1] / "info.json", info | {"learning_rates": [entry.learning_rate for entry in part]})
    return folders


@pytest.fixture
def members(random_material):
    return random_material(members=3, checkpoints=1).checkpoints[0]


def change(folder, **changes):
    write_json(folder / "info.json", read_json(folder / "info.json") | changes)


class TestFeatures:
    @pytest.mark.parametrize("cut", [[3], [1, 3], [2, 3], [1, 2, 3]])
    def test_cut_in_shards_gives_the_same(self, tmp_path, members, random_material, scores_of, cut):
        found = load_features(write_shards(tmp_path, members, cut))
        assert len(found) == 3
        for entry, expected in zip(found, members, strict=True):
            for name in ("train", "targets", "weights"):
                np.testing.assert_array_equal(getattr(entry, name), getattr(expected, name))
            assert entry.learning_rate == expected.learning_rate
        whole, parts = (random_material(features=features) for features in (members, found))
        np.testing.assert_array_equal(scores_of(trak.score, parts, ridge=0.1), scores_of(trak.score, whole, ridge=0.1))

    def test_features_stay_on_disk(self, tmp_path, members):
        for entry in load_features(write_shards(tmp_path, members, [2, 3])):
            assert isinstance(entry.train, np.memmap)
            assert isinstance(entry.targets, np.memmap)

    def test_none(self):
        assert load_features([]) == []

    @pytest.mark.parametrize(
        "changes",
        [
            {"projection": {"kind": "sjlt", "dim": 6, "nonzeros": 1}},
            {"projection": {"kind": "sjlt", "dim": 5, "nonzeros": 2}},
            {"projection": {"kind": "rademacher", "dim": 5, "nonzeros": 1}},
            {"parameters": 98},
            {"function": "norm"},
            {"function": "window-300"},
            {"definition": VERSION + 1},
        ],
    )
    @pytest.mark.parametrize("spoilt", [0, 1])
    def test_two_projections_are_not_mixed(self, tmp_path, members, changes, spoilt):
        folders = write_shards(tmp_path, members, [2, 3])
        load_features(folders)
        change(folders[spoilt], **changes)
        with pytest.raises(UserError, match="cannot be mixed: delete both and run again") as caught:
            load_features(folders)
        # A wrong definition is found in the first folder, without a second to set against it.
        assert str(folders[0 if spoilt == 0 and "definition" in changes else 1]) in str(caught.value)

    def test_nor_are_features_of_another_definition_used(self, tmp_path, members):
        folders = write_shards(tmp_path, members, [2, 3])
        for folder in folders:
            change(folder, definition=VERSION + 1)
        with pytest.raises(UserError, match=f"this program .*definition.* {VERSION};"):
            load_features(folders)


def test_outputs_are_joined_subset_by_subset(tmp_path):
    outputs = np.arange(36.0).reshape(12, 3)  # 6 subsets of 2 seeds, shards that cut a subset in two
    paths = [tmp_path / f"{i}.npy" for i in range(3)]
    for path, part in zip(paths, np.split(outputs, [5, 8]), strict=True):
        write_array(path, part)
    found = load_outputs(paths, 2)
    assert found.shape == (6, 2, 3)
    for subset in range(6):
        for seed in range(2):
            np.testing.assert_array_equal(found[subset, seed], outputs[2 * subset + seed])


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
    table = pd.DataFrame({"target": range(5), "row": rows, "role": roles, "label": labels["test"][rows]})
    write_table(tmp_path / "targets.parquet", table)
    representations = {"train": rng.standard_normal((2, 12, 4)), "targets": rng.standard_normal((2, 5, 4))}
    for name, array in representations.items():
        write_array(tmp_path / "representations" / f"{name}.npy", array)
    write_array(tmp_path / "masks.npy", rng.random((6, 12)) < 0.5)
    outputs = rng.standard_normal((12, 5))
    for i, part in enumerate(np.split(outputs, [5])):
        write_array(tmp_path / f"outputs{i}.npy", part)
    return tmp_path, rows, labels, representations, outputs


class TestMaterial:
    def test_the_least(self, files):
        folder, rows, labels, *_ = files
        material, evaluated = load_material(7, folder / "data", folder / "targets.parquet")
        assert evaluated == 3
        assert (material.seed, material.size, material.targets) == (7, 12, 5)
        np.testing.assert_array_equal(material.images[0], np.load(folder / "data/train_images.npy"))
        np.testing.assert_array_equal(material.images[1], np.load(folder / "data/test_images.npy")[rows])
        np.testing.assert_array_equal(material.labels[0], labels["train"])
        np.testing.assert_array_equal(material.labels[1], labels["test"][rows])
        assert material.masks is material.outputs is None
        assert [*material.features, *material.checkpoints, *material.representations] == []

    def test_everything(self, files, random_material):
        folder, _, _, representations, outputs = files
        made = random_material(n=12, targets=5, members=3, checkpoints=3)
        checkpoints = {i: write_shards(folder / "features", made.checkpoints[i], [2, 3], i) for i in (2, 0, 1)}
        material, _ = load_material(
            0,
            folder / "data",
            folder / "targets.parquet",
            features=checkpoints[2],
            checkpoints=[path for paths in checkpoints.values() for path in paths],  # in no order of training
            representations=folder / "representations",
            masks=folder / "masks.npy",
            outputs=[folder / "outputs0.npy", folder / "outputs1.npy"],
            seeds_per_subset=2,
            block=17,
        )
        assert material.block == 17
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
        np.testing.assert_array_equal(material.masks, np.load(folder / "masks.npy"))
        np.testing.assert_allclose(material.outputs, (outputs[::2] + outputs[1::2]) / 2)


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
    def test_pictures(self, journey_files):
        folder, images, estimates = journey_files
        material, evaluated = load_material(7, folder / "data", folder / "journeys/targets.parquet")
        assert (evaluated, material.targets, material.size) == (9, 12, 12)
        assert material.labels is None
        np.testing.assert_array_equal(material.images[0], np.load(folder / "data/train_images.npy"))
        shown = [0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 3, 3]
        np.testing.assert_array_equal(material.images[1], images[shown])
        np.testing.assert_array_equal(material.timesteps, [-1, 700, 300, 300, -1, 700, 300, 300, -1, -1, 700, 300])
        assert material.timesteps.dtype == np.int64
        np.testing.assert_array_equal(material.final, [0, 0, 0, 0, 4, 4, 4, 4, 8, 9, 9, 9])
        place = {700: 0, 300: 1}
        for seen, image, step in zip(material.estimates, shown, material.timesteps, strict=True):
            np.testing.assert_array_equal(seen, images[image] if step < 0 else estimates[image, place[step]])

    def test_features_of_the_norm_and_of_windows(self, journey_files, random_material):
        folder, *_ = journey_files
        made = random_material(n=12, targets=12, members=3, checkpoints=4)
        own, norm, early, late = made.checkpoints
        without_targets = [
            [dataclasses.replace(entry, targets=entry.targets[:0]) for entry in part] for part in (early, late)
        ]
        windows = [
            folder
            for function, part in zip(["window-300", "window-700"], without_targets, strict=True)
            for folder in write_shards(journey_files[0], part, [1, 3], 0, function)
        ]
        material, _ = load_material(
            0,
            folder / "data",
            folder / "journeys/targets.parquet",
            features=write_shards(folder, own, [2, 3]),
            norm=write_shards(folder, norm, [2, 3], 0, "norm"),
            windows=windows[2:] + windows[:2],
        )
        assert material.windows.keys() == {300, 700}
        check = [(material.norm, norm, norm), (material.windows[300], early, own), (material.windows[700], late, own)]
        for found, train, targets in check:
            for entry, a, b in zip(found, train, targets, strict=True):
                np.testing.assert_array_equal(entry.train, a.train)
                np.testing.assert_array_equal(entry.weights, a.weights)
                np.testing.assert_array_equal(entry.targets, b.targets)

    def test_windows_of_other_members_are_not_used(self, journey_files, random_material):
        folder, *_ = journey_files
        own, other = random_material(n=12, targets=12, members=3).checkpoints
        windows = write_shards(folder, other[:2], [2], 0, "window-300")
        with pytest.raises(ValueError, match=r"zip\(\)"):
            load_material(
                0,
                folder / "data",
                folder / "journeys/targets.parquet",
                features=write_shards(folder, own, [3]),
                windows=windows,
            )
