"""A user's own diffusion models in the place of trained members."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

SHARD = "00000-00002"
TARGETS = ("scores/journey_trak.npy", "tables/models.csv", "figures/training.png")


def settings(elsewhere):
    return {"members": {"checkpoints": [str(elsewhere / f"model {member}") for member in range(2)]}}


@pytest.fixture(scope="module")
def adopted(finished, tmp_path_factory):
    """The members of the finished run as checkpoints from elsewhere, and what is made of them; no member is trained."""
    digits = finished.of("digits_ddpm")
    elsewhere = tmp_path_factory.mktemp("mine")
    for member in range(2):
        models = digits.results / "train/members/models"
        shutil.copytree(models / f"{member:05d}", elsewhere / f"model {member}")
    shutil.rmtree(digits.results / "train/members")
    files = [f"results/smoke/digits_ddpm/{target}" for target in TARGETS]
    with digits.edited(settings(elsewhere)):
        digits.done(*files)
        assert "Nothing to be done" in digits.done(*files)
    return digits, elsewhere


def test_they_are_the_members(adopted):
    digits, elsewhere = adopted
    assert [path.name for path in (digits.results / "train/members").iterdir() if path.is_dir()] == []
    models = json.loads((digits.results / f"train/members/{SHARD}.json").read_text())["models"]
    found = [model["checkpoints"][0]["file"] for model in models]
    assert found == [str(elsewhere / f"model {member}") for member in range(2)]
    assert json.loads((digits.results / f"costs/train/members/{SHARD}.json").read_text())["cpu_seconds"] >= 0


def test_the_same_weights_give_the_same_features_and_scores(adopted, smoke):
    digits, _ = adopted
    before = smoke.of("digits_ddpm").results
    for name in ("train", "targets", "weights"):
        file = f"features/kronecker-50-0.1-sjlt1-32/output/0/{SHARD}/{name}.npy"
        assert (digits.results / file).stat().st_mtime_ns > (before / file).stat().st_mtime_ns
        np.testing.assert_array_equal(np.load(digits.results / file), np.load(before / file))
    file = "scores/journey_trak.npy"
    np.testing.assert_array_equal(np.load(digits.results / file), np.load(before / file))


def test_nothing_is_known_of_their_training(adopted, smoke):
    digits, _ = adopted
    models, before = (
        pd.read_csv(folder / "tables/models.csv") for folder in (digits.results, smoke.of("digits_ddpm").results)
    )
    own = models[models["ensemble"] == "members"]
    assert own["loss"].isna().all()
    np.testing.assert_allclose(own["test_loss"], before.loc[before["ensemble"] == "members", "test_loss"])
    rest = models[models["ensemble"] != "members"].reset_index(drop=True)
    known = before[before["ensemble"] != "members"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, known, check_dtype=False)


def test_others_that_take_their_place_are_noticed(adopted):
    """Moved there, with the times they had."""
    digits, elsewhere = adopted
    one, other, aside = (elsewhere / name for name in ("model 0", "model 1", "aside"))
    for here, there in ((one, aside), (other, one), (aside, other)):
        here.rename(there)
    with digits.edited(settings(elsewhere)):
        pending = digits.pending(f"results/smoke/digits_ddpm/{TARGETS[0]}")
    assert {f"train/members/{SHARD}.json", TARGETS[0]} <= pending
