"""Tests of reading trajectories."""

import numpy as np
import pandas as pd
import pytest

from trakway.errors import UserError
from trakway.figures.trajectories import Trajectories
from trakway.storage.files import write_array, write_json, write_table


@pytest.fixture
def folder(tmp_path):
    """Three samples (one for tuning) and a real image; steps in an order of their own, patches named between."""
    rows = [(g, g, "generated", t, "", "evaluation") for g in (0, 1) for t in (None, 300, 900, 600)]
    rows[6:6] = [(1, 1, "generated", 600, "top", "evaluation"), (1, 1, "generated", 300, "left", "evaluation")]
    rows += [(2, 5, "test", None, "", "evaluation"), (3, 0, "generated", 300, "", "tuning")]
    table = pd.DataFrame(rows, columns=["target", "row", "kind", "timestep", "patch", "role"])
    write_table(tmp_path / "targets.parquet", table.assign(caption="any").astype({"timestep": "Int64"}))
    write_json(tmp_path / "timesteps.json", [300, 900, 600])
    rng = np.random.default_rng(0)
    write_array(tmp_path / "images.npy", rng.random((4, 1, 2, 2), np.float32))
    for name in ("noisy", "estimates"):
        write_array(tmp_path / f"{name}.npy", rng.random((4, 3, 1, 2, 2), np.float32))
    return tmp_path


def read(folder):
    return Trajectories.read(folder / "targets.parquet")


def test_whole_images_from_high_noise_to_low(folder):
    found = read(folder).whole()
    assert found["target"].tolist() == [0, 0, 0, 1, 1, 1]
    assert found["timestep"].tolist() == [900, 600, 300] * 2
    assert found["entry"].tolist() == [2, 3, 1, 8, 9, 5]
    assert read(folder).whole(1)["entry"].tolist() == [2, 3, 1]


def test_patches_know_the_entry_of_the_whole_image(folder):
    found = read(folder).patches()
    columns = found[["target", "timestep", "patch", "entry", "whole"]].to_numpy().tolist()
    assert columns == [[1, 600, "top", 6, 9], [1, 300, "left", 7, 5]]
    assert read(folder).patches(1).empty


def test_images_of_entries(folder):
    found = read(folder)
    entries = found.whole()
    for array in (found.noisy, found.estimates):
        images = found.at(array, entries)
        assert images.shape == (6, 1, 2, 2)
        np.testing.assert_array_equal(images[0], array[0, 1])  # t = 900 is the second step of the arrays
        np.testing.assert_array_equal(images[5], array[1, 0])


def test_another_number_of_steps_is_named(folder):
    write_array(folder / "noisy.npy", np.zeros((4, 2, 1, 2, 2), np.float32))
    with pytest.raises(UserError, match=r"2 steps in noisy.npy and 3 in estimates.npy.*\[300, 900, 600\]"):
        read(folder)


def test_an_unknown_timestep_is_named(folder):
    write_json(folder / "timesteps.json", [300, 900, 500])
    with pytest.raises(UserError, match=r"timesteps \[300, 900, 600\].*\[300, 900, 500\]"):
        read(folder)
