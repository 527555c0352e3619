import contextlib
import dataclasses

import numpy as np
import pytest

from trakway import attribution
from trakway.plan import NEEDS, modalities
from trakway.validation import cost
from trakway.validation.cost import ModelCosts, cost_runs, own_models, share_of_models

COSTS = ModelCosts(
    members=1000.0, estimation=200.0, features=30.0, checkpoints=7.0, representations=2.0, norm=0.5, windows=0.25
)
DIFFUSION = dataclasses.replace(COSTS, own=own_models({"task": "image_diffusion"}))
SCORES = {"ridge": [0.1], "soft_threshold": [0.0], "weights": True, "average": "paper"}


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("trak", 1030),
        ("gradient_dot", 1030),
        ("gradient_cosine", 1030),
        ("tracin", 1007),
        ("representation", 1002),
        ("pixel", 0),
        ("random", 0),
        ("empirical_influence", 200),
        ("datamodel", 200),
    ],
)
def test_models_behind_a_method(name, seconds):
    assert COSTS.of(name) == seconds
    assert dataclasses.replace(COSTS, own=own_models({"task": "image_classification"})).of(name) == seconds


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("trak", 1030),
        ("journey_trak", 1030),
        ("journey_window", 1030.25),  # members, trained once for both of its needs
        ("d_trak", 1000.5),
        ("journey_d_trak", 1000.5),
        ("representation", 2),  # of a classifier that is no member, its training included
        ("pixel_journey", 0),
        ("datamodel", 200),
    ],
)
def test_models_behind_a_method_of_diffusion(name, seconds):
    assert DIFFUSION.of(name) == seconds


def test_every_method_and_task_has_a_cost():
    assert all(COSTS.of(name) >= 0 for name in NEEDS)
    assert all("estimation" in own_models({"task": task}) for task in modalities())


@pytest.mark.parametrize(("share", "members", "subsets"), [(1.0, 3, 40), (0.5, 2, 20), (0.4, 1, 16), (0.001, 1, 2)])
def test_shares_are_whole_models(material, share, members, subsets):
    part, count, used = share_of_models("trak", material, share)
    assert (count, used) == (members, members / 3)
    assert part.features == material.features[:members]
    assert len(part.masks) == 40  # what the ridge is chosen with stays whole
    for kept in ("representations", "checkpoints"):  # a material of one kind only
        others = {key: () for key in ("features", "representations", "checkpoints") if key != kept}
        name = "tracin" if kept == "checkpoints" else "representation"
        part, count, used = share_of_models(name, dataclasses.replace(material, **others), share)
        assert (count, used) == (members, members / 3)
    assert len(part.checkpoints) == 2
    assert all(len(entries) == members for entries in part.checkpoints)
    for name in ("journey_window", "d_trak"):
        part, count, used = share_of_models(name, material, share)
        assert (count, used) == (members, members / 3)
        assert part.norm == material.norm[:members]
        assert part.windows == {timestep: entries[:members] for timestep, entries in material.windows.items()}
    part, count, used = share_of_models("datamodel", material, share)
    assert (count, used) == (subsets, subsets / 40)
    assert (len(part.masks), len(part.outputs), len(part.features)) == (subsets, subsets, 3)
    part, count, used = share_of_models("pixel", material, share)
    assert part is material
    assert (count, used) == (0, 0)


def test_a_share_of_one_classifier_is_the_classifier(material):
    """However many members stand beside it."""
    one = dataclasses.replace(material, representations=material.representations[:1])
    for share in (0.1, 0.5, 1.0):
        part, count, used = share_of_models("representation", one, share)
        assert (count, used) == (1, 1)
        assert len(part.representations) == 1


@pytest.fixture
def spent(monkeypatch):
    """Let every run of a method take half a CPU second."""

    @contextlib.contextmanager
    def measured():
        yield {"cpu_seconds": 0.5}

    monkeypatch.setattr(cost.resources, "measured", measured)


@pytest.mark.parametrize("name", ["trak", "tracin", "representation", "gradient_dot"])
def test_runs_of_a_method_that_needs_members(material, spent, name):
    runs = cost_runs(name, material, 4, SCORES, [0.5, 1.0], COSTS, seeds=5)
    assert list(runs) == [2, 3]
    for members, (scores, seconds) in runs.items():
        expected = np.empty((4, 30), np.float32)
        part = dataclasses.replace(material.of_members(members).of_targets(slice(0, 4)), cache={})
        attribution.method(name)(part, expected, **({"ridge": 0.1} if name == "trak" else {}))
        np.testing.assert_array_equal(scores, expected)
        assert seconds == pytest.approx(COSTS.of(name) * members / 3 + 0.5)
    assert not material.cache  # no run is spared a kernel that another has paid for


def test_runs_of_a_method_that_needs_the_bank(material, spent):
    runs = cost_runs("empirical_influence", material, 4, SCORES, [0.1, 0.5, 1.0], COSTS, seeds=5)
    assert list(runs) == [20, 100, 200]  # models, of which each subset has five
    for models, (scores, seconds) in runs.items():
        expected = np.empty((4, 30), np.float32)
        part = material.of_subsets(models // 5).of_targets(slice(0, 4))
        attribution.method("empirical_influence")(part, expected)
        np.testing.assert_array_equal(scores, expected)
        assert seconds == pytest.approx(200 * models / 200 + 0.5)


def test_runs_of_a_method_that_needs_no_models(material, spent):
    runs = cost_runs("pixel", material, 4, SCORES, [0.1, 0.5, 1.0], COSTS, seeds=5)
    ((models, (scores, seconds)),) = runs.items()
    assert (models, seconds) == (0, 0.5)
    assert scores.shape == (4, 30)


def test_shares_that_come_to_the_same_models_run_once(material, spent):
    assert list(cost_runs("gradient_dot", material, 4, SCORES, [0.1, 0.3, 0.4, 1.0], COSTS, seeds=1)) == [1, 3]


def test_own_seconds_are_measured(material):
    ((_, seconds),) = cost_runs("datamodel", material, 4, SCORES, [1.0], ModelCosts(0, 0, 0, 0, 0), seeds=1).values()
    assert seconds > 0
