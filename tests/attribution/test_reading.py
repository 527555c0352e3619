import dataclasses

import numpy as np
import pytest

from trakway.attribution.methods import trak
from trakway.attribution.reading import by, load_features, load_outputs
from trakway.errors import UserError
from trakway.projection import VERSION
from trakway.storage.files import read_json, write_array, write_json


@pytest.fixture
def members(random_material):
    return random_material(members=3, checkpoints=1).checkpoints[0]


def change(path, **changes):
    write_json(path, read_json(path) | changes)


class TestFeatures:
    @pytest.mark.parametrize("cut", [[3], [1, 3], [2, 3], [1, 2, 3]])
    def test_cut_in_shards_gives_the_same(self, tmp_path, write_shards, members, random_material, scores_of, cut):
        found = load_features(write_shards(tmp_path, members, cut))
        assert len(found) == 3
        for entry, expected in zip(found, members, strict=True):
            for name in ("train", "targets", "weights"):
                np.testing.assert_array_equal(getattr(entry, name), getattr(expected, name))
            assert entry.learning_rate == expected.learning_rate
        whole, parts = (random_material(features=features) for features in (members, found))
        np.testing.assert_array_equal(scores_of(trak.score, parts, ridge=0.1), scores_of(trak.score, whole, ridge=0.1))

    def test_features_stay_on_disk(self, tmp_path, write_shards, members):
        for entry in load_features(write_shards(tmp_path, members, [2, 3])):
            assert isinstance(entry.train, np.memmap)
            assert isinstance(entry.targets, np.memmap)

    def test_without_targets_there_are_none(self, tmp_path, write_shards, members):
        windows = [dataclasses.replace(entry, targets=None) for entry in members]
        found = load_features(write_shards(tmp_path, windows, [2, 3], function="window-300"))
        assert [entry.targets for entry in found] == [None] * 3
        np.testing.assert_array_equal(found[2].train, members[2].train)

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
    @pytest.mark.parametrize("name", ["train", "targets"])
    @pytest.mark.parametrize("spoilt", [0, 1])
    def test_two_projections_are_not_mixed(self, tmp_path, write_shards, members, changes, name, spoilt):
        folders = write_shards(tmp_path, members, [2, 3])
        load_features(folders)
        change(folders[spoilt] / f"{name}.json", **changes)
        with pytest.raises(UserError, match="cannot be mixed: delete both and run again") as caught:
            load_features(folders)
        assert f"features in {folders[spoilt]}: " in str(caught.value)

    def test_nor_are_features_of_another_definition_used(self, tmp_path, write_shards, members):
        folders = write_shards(tmp_path, members, [2, 3])
        for folder in folders:
            for name in ("train", "targets"):
                change(folder / f"{name}.json", definition=VERSION + 1)
        with pytest.raises(UserError, match=f"this program .*definition.* {VERSION};"):
            load_features(folders)


def test_outputs_are_joined_subset_by_subset(tmp_path):
    outputs = np.arange(36.0).reshape(12, 3)  # 6 subsets of 2 seeds, shards that cut a subset in two
    paths = [tmp_path / f"{i}.npy" for i in range(3)]
    for path, part in zip(paths, np.split(outputs, [5, 8]), strict=True):
        write_array(path, part)
    found = load_outputs(paths, 6)
    assert found.shape == (6, 2, 3)
    for subset in range(6):
        for seed in range(2):
            np.testing.assert_array_equal(found[subset, seed], outputs[2 * subset + seed])


@pytest.mark.parametrize("subsets", [0, 5, 24])
def test_outputs_of_no_whole_number_of_models_a_subset(tmp_path, subsets):
    write_array(tmp_path / "0.npy", np.zeros((12, 3)))
    with pytest.raises(UserError, match=rf"outputs: found those of 12 models for {subsets} subsets"):
        load_outputs([tmp_path / "0.npy"], subsets)


def test_folders_are_sorted_by_what_they_say(tmp_path, write_shards, members):
    """Numbers as numbers, shards in the order given."""
    folders = {number: write_shards(tmp_path, members, [2, 3], number) for number in (10, 9, 0)}
    mixed = [folder for parts in zip(*folders.values(), strict=True) for folder in parts]
    assert by(mixed, "checkpoint") == [(number, folders[number]) for number in (0, 9, 10)]
