import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.errors import UserError
from trakway.storage.files import read_table, write_array, write_json, write_table
from trakway.targets.table import draw_targets, groups, seen_by


def rows(table, role):
    return table["row"][table["role"] == role].tolist()


@given(size=st.integers(0, 60), count=st.integers(0, 30), tuning=st.integers(0, 30), seed=st.integers(0, 2**31))
def test_columns_and_disjoint_groups(size, count, tuning, seed):
    labels = np.random.default_rng(seed).integers(0, 3, size)
    if count + tuning > size:
        with pytest.raises(UserError, match=rf"count {count} \+ tuning {tuning}, allowed: {size} .* dataset.test_size"):
            draw_targets(labels, count, tuning, seed)
        return
    table = draw_targets(labels, count, tuning, seed)
    assert list(table.columns) == ["target", "row", "role", "label", "kind", "timestep", "patch", "caption"]
    assert table["target"].tolist() == list(range(count + tuning))
    assert table["role"].tolist() == ["evaluation"] * count + ["tuning"] * tuning
    assert table["row"].is_unique
    assert table["row"].between(0, size - 1).all()
    np.testing.assert_array_equal(table["label"], labels[table["row"].to_numpy(int)])


@given(count=st.integers(0, 20), tuning=st.integers(0, 20), more=st.integers(0, 10), seed=st.integers(0, 99))
def test_a_group_does_not_depend_on_the_size_of_the_other(count, tuning, more, seed):
    labels = np.zeros(50, int)
    table = draw_targets(labels, count, tuning, seed)
    assert rows(draw_targets(labels, count, tuning + more, seed), "evaluation") == rows(table, "evaluation")
    assert rows(draw_targets(labels, count + more, tuning, seed), "tuning") == rows(table, "tuning")
    assert rows(draw_targets(labels, count + more, tuning, seed), "evaluation")[:count] == rows(table, "evaluation")


def test_the_draw_is_uniform_and_seeded():
    labels = np.zeros(10, int)
    drawn = [tuple(rows(draw_targets(labels, 3, 2, seed), "evaluation")) for seed in range(2000)]
    assert drawn[0] == tuple(rows(draw_targets(labels, 3, 2, 0), "evaluation"))
    assert len(set(drawn)) > 500
    share = np.bincount(np.ravel(drawn), minlength=10) / 2000
    assert np.abs(share - 0.3).max() < 5 * np.sqrt(0.3 * 0.7 / 2000)


def diffusion_table():
    """Two generated images with two steps and three patches, three test images; then one generated one for tuning."""
    generated = [(None, ""), (900, ""), (50, ""), (50, "tail"), (900, "top left"), (50, "ear")]
    rows = [(image, "generated", *entry, "evaluation") for image in (0, 1) for entry in generated]
    rows += [(image, "test", None, "", "evaluation") for image in (2, 3, 4)]
    rows += [(5, "generated", *entry, "tuning") for entry in generated]
    table = pd.DataFrame(rows, columns=["target", "kind", "timestep", "patch", "role"])
    return table.astype({"timestep": "Int64"})


class TestGroups:
    def test_by_hand(self):
        found = [(group.kind, group.timestep, group.positions.tolist()) for group in groups(diffusion_table())]
        assert found == [
            ("generated", None, [0, 6]),
            ("generated", 50, [2, 8]),
            ("generated", 900, [1, 7]),
            ("patch tail", 50, [3, 9]),
            ("patch ear", 50, [5, 11]),
            ("patch top left", 900, [4, 10]),
            ("test", None, [12, 13, 14]),
        ]

    @given(random=st.randoms(use_true_random=False))
    def test_every_evaluated_entry_is_in_the_group_of_its_kind_wherever_it_stands(self, random):
        table = diffusion_table()
        order = random.sample(range(len(table)), len(table))
        shuffled = table.iloc[order].reset_index(drop=True)
        found = groups(shuffled)
        expected = {group[:2]: sorted(group.positions) for group in groups(table)}
        assert {group[:2]: sorted(order[p] for p in group.positions) for group in found} == expected
        assert all((np.diff(group.positions) > 0).all() for group in found)
        steps = [group.timestep for group in found if group.kind == "generated"]
        assert steps == [None, 50, 900]

    def test_survive_a_file(self, tmp_path):
        table = diffusion_table()
        write_table(tmp_path / "targets.parquet", table)
        read = groups(read_table(tmp_path / "targets.parquet"))
        for group, again in zip(groups(table), read, strict=True):
            assert group[:2] == again[:2]
            np.testing.assert_array_equal(group.positions, again.positions)

    def test_classification_is_one_group(self):
        (group,) = groups(draw_targets(np.zeros(20, int), 7, 3, 0))
        assert (group.kind, group.timestep) == ("test", None)
        np.testing.assert_array_equal(group.positions, np.arange(7))


class TestSeenBy:
    @pytest.fixture
    def folder(self, tmp_path):
        """Beside a table: six images and their estimates at the steps 900 and 50; real images have no journey."""
        rng = np.random.default_rng(0)
        write_array(tmp_path / "images.npy", rng.random((6, 1, 2, 3), np.float32))
        write_array(tmp_path / "estimates.npy", rng.random((6, 2, 1, 2, 3), np.float32))
        write_json(tmp_path / "timesteps.json", [900, 50])
        return tmp_path

    def test_estimates_at_steps_and_else_images(self, folder):
        images, estimates = (np.load(folder / f"{name}.npy") for name in ("images", "estimates"))
        table = diffusion_table()
        found = seen_by(table, folder)
        assert found.dtype == np.float32
        assert found.shape == (len(table), 1, 2, 3)
        for picture, image, step in zip(found, table["target"], table["timestep"], strict=True):
            expected = images[image] if step is pd.NA else estimates[image, [900, 50].index(step)]
            np.testing.assert_array_equal(picture, expected)

    def test_of_a_table_read_from_a_file(self, folder):
        write_table(folder / "targets.parquet", diffusion_table())
        found = seen_by(read_table(folder / "targets.parquet"), folder)
        np.testing.assert_array_equal(found, seen_by(diffusion_table(), folder))

    def test_a_step_that_was_not_kept(self, folder):
        write_json(folder / "timesteps.json", [900, 60])
        with pytest.raises(KeyError):
            seen_by(diffusion_table(), folder)
