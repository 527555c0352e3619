import dataclasses

import numpy as np
import pytest

from trakway import attribution
from trakway.attribution import scoring
from trakway.attribution.methods import trak
from trakway.attribution.scoring import run_method
from trakway.metrics.lds import lds_per_target, predicted
from trakway.plan import NEEDS, methods_of

EVALUATED = 4  # of the material's 7 targets; the other three are for tuning
SCORES = {"ridge": [0.01, 1.0, 100.0], "soft_threshold": [0.0], "weights": True, "average": "paper"}


def run(name, material, scores=SCORES):
    out = np.full((EVALUATED, material.size), np.nan, np.float32)
    record = run_method(name, dataclasses.replace(material, cache={}), EVALUATED, scores, out)
    return out, record


@pytest.fixture
def plant(material):
    """Make the tuning targets' outputs follow TRAK at one ridge exactly."""

    def call(ridge, **options):
        scores = np.empty((material.targets, material.size), np.float32)
        trak.score(material, scores, ridge=ridge, **options)
        outputs = np.random.default_rng(1).standard_normal(material.outputs.shape)
        outputs[:, EVALUATED:] = predicted(scores, material.masks)[:, EVALUATED:]
        return dataclasses.replace(material, outputs=outputs)

    return call


@pytest.mark.parametrize("ridge", SCORES["ridge"])
def test_the_planted_ridge_is_chosen_and_used(plant, ridge):
    material = plant(ridge)
    out, record = run("trak", material)
    expected = np.empty((EVALUATED, material.size), np.float32)
    trak.score(material.of_targets(slice(0, EVALUATED)), expected, ridge=ridge)
    np.testing.assert_array_equal(out, expected)
    assert record["ridge"] == ridge
    assert record["options"] == {"ridge": ridge, "soft_threshold": 0.0, "weights": True, "average": "paper"}
    best = max(record["tuning"], key=lambda entry: entry["lds"])
    assert (best["ridge"], best["lds"]) == (ridge, pytest.approx(1))
    assert [entry["ridge"] for entry in record["tuning"]] == SCORES["ridge"]


def test_a_soft_threshold_is_chosen_with_it(plant):
    material = plant(1.0, soft_threshold=1.0, weights=False)
    scores = SCORES | {"soft_threshold": [0.0, 1.0], "weights": False}
    _, record = run("trak", material, scores)
    assert (record["ridge"], record["options"]["soft_threshold"]) == (1.0, 1.0)
    assert record["options"]["weights"] is False
    assert len(record["tuning"]) == 6


def test_evaluated_targets_have_no_say_in_the_choice(plant):
    """Outputs and features of the evaluated targets become anything: the choice and its LDS stay as they were."""
    material = plant(1.0)
    _, before = run("trak", material)
    outputs = material.outputs.copy()
    # What would be chosen if they were looked at: another ridge, with an LDS of 1 on more targets than are for tuning.
    scores = np.empty((material.targets, material.size), np.float32)
    trak.score(material, scores, ridge=100.0)
    outputs[:, :EVALUATED] = predicted(scores, material.masks)[:, :EVALUATED]
    _, after = run("trak", dataclasses.replace(material, outputs=outputs))
    assert after == before
    features = [dataclasses.replace(entry, targets=entry.targets.copy()) for entry in material.features]
    for entry in features:
        entry.targets[:EVALUATED] = np.nan
    outputs[:, :EVALUATED] = np.nan
    out, after = run("trak", dataclasses.replace(material, features=features, outputs=outputs))
    assert after == before
    assert np.isnan(out).all()


def test_tuning_targets_do(plant):
    chosen = {ridge: run("trak", plant(ridge))[1]["ridge"] for ridge in SCORES["ridge"]}
    assert chosen == {ridge: ridge for ridge in SCORES["ridge"]}


def test_scores_of_evaluated_targets_do_not_depend_on_the_tuning_targets_but_through_the_choice(plant):
    material = plant(1.0)
    one, _ = run("trak", material)
    other, _ = run("trak", material.of_targets(slice(0, EVALUATED)), SCORES | {"ridge": [1.0]})
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_one_candidate_needs_no_tuning_targets_and_no_bank(material):
    bare = dataclasses.replace(material.of_targets(slice(0, EVALUATED)), masks=None, outputs=None)
    for ridge in ([0.1], 0.1):  # a list of one, or the value itself
        _, record = run("trak", bare, SCORES | {"ridge": ridge})
        assert (record["ridge"], record["tuning"]) == (0.1, [])


@pytest.mark.parametrize("name", [name for name in methods_of({"task": "image_classification"}) if name != "trak"])
def test_methods_without_options_get_none(material, name):
    out, record = run(name, material)
    expected = np.empty_like(out)
    attribution.method(name)(material.of_targets(slice(0, EVALUATED)), expected)
    np.testing.assert_array_equal(out, expected)
    assert record["method"] == name
    assert (record["ridge"], record["options"], record["tuning"]) == (None, {}, [])


@pytest.mark.parametrize(
    ("name", "kept", "members", "dim"),
    [
        ("trak", "features", 3, 6),
        ("tracin", "checkpoints", 3, 6),
        ("representation", "representations", 3, None),
        ("pixel", None, None, None),
        ("datamodel", None, None, None),
    ],
)
def test_record_says_what_was_used(material, name, kept, members, dim):
    """With what the scores script loads for the method, and with all else beside it."""
    empty = {key: () for key in ("features", "checkpoints", "representations") if key != kept}
    for part in (material, dataclasses.replace(material, **empty)):
        _, record = run(name, part, SCORES | {"ridge": [0.1]})
        assert (record["members"], record["dim"]) == (members, dim)


def test_record_of_methods_that_read_other_features(material, monkeypatch):
    monkeypatch.setattr(scoring, "method", lambda name: lambda material, out, **options: None)
    norm = [dataclasses.replace(entry, train=entry.train[:, :5]) for entry in material.norm[:2]]
    for name in ("d_trak", "journey_d_trak"):
        _, record = run(name, dataclasses.replace(material, norm=norm), SCORES | {"ridge": [0.1]})
        assert (record["members"], record["dim"]) == (2, 5)
    _, record = run("journey_window", material, SCORES | {"ridge": [0.1]})
    assert (record["members"], record["dim"]) == (3, 6)
    for name in NEEDS:
        assert len(scoring.entries_of(name, material)) == (3 if set(NEEDS[name]) - {"estimation"} else 0)


@pytest.mark.parametrize(("name", "ridge"), [("journey_trak", 1.0), ("journey_window", 1.0), ("trak", 100.0)])
def test_choice_of_a_method_that_tells_steps_apart_is_made_on_steps(material, monkeypatch, name, ridge):
    """Ridge 1 is right for the tuning entry with a timestep, ridge 100 for the two without."""
    truths = {ridge: np.random.default_rng(int(ridge)).standard_normal((7, 30)) for ridge in SCORES["ridge"]}

    def score(material, out, ridge, **options):
        out[:] = truths[ridge][material.labels[1]]

    monkeypatch.setattr(scoring, "method", lambda name: score)
    outputs = predicted(truths[100.0], material.masks)
    outputs[:, 5] = predicted(truths[1.0], material.masks)[:, 5]
    labels = (material.labels[0], np.arange(7))
    final = np.array([0, 0, 2, 2, 4, 4, 6])
    material = dataclasses.replace(material, labels=labels, outputs=outputs, final=final)
    out, record = run(name, material)
    assert record["ridge"] == ridge
    assert max(entry["lds"] for entry in record["tuning"]) == pytest.approx(1 if ridge == 1 else 2 / 3, abs=0.2)
    np.testing.assert_array_equal(out, truths[ridge][:EVALUATED].astype(np.float32))
    _, record = run(name, dataclasses.replace(material, final=None))  # no entry has a step: all decide
    assert record["ridge"] == 100.0


def test_the_choice_is_the_one_of_the_highest_lds_by_hand(material):
    _, record = run("trak", material)
    by_hand = {}
    for ridge in SCORES["ridge"]:
        scores = np.empty((material.targets, material.size), np.float32)
        trak.score(material, scores, ridge=ridge)
        lds = lds_per_target(predicted(scores, material.masks), material.outputs)
        by_hand[ridge] = lds[EVALUATED:].mean()
    assert record["ridge"] == max(by_hand, key=by_hand.get)
    for entry in record["tuning"]:
        assert entry["lds"] == pytest.approx(by_hand[entry["ridge"]], abs=1e-6)
