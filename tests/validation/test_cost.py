import contextlib
import dataclasses

import numpy as np
import pytest

from trakway.attribution.scoring import score_function
from trakway.plan import methods_of
from trakway.validation import cost
from trakway.validation.cost import cost_runs, share_of_models

SPENT = 1000.0  # by all models of a method


@pytest.mark.parametrize(("share", "members", "subsets"), [(1.0, 3, 40), (0.5, 2, 20), (0.4, 1, 16), (0.001, 1, 2)])
def test_shares_are_whole_models(material, chosen, share, members, subsets):
    part, count, used = share_of_models(chosen("trak"), material, share)
    assert (count, used) == (members, members / 3)
    assert part.features == material.features[:members]
    assert len(part.estimation.masks) == 40  # what the ridge is chosen with stays whole
    for kept in ("representations", "checkpoints"):  # a material of one kind only
        method = chosen("tracin" if kept == "checkpoints" else "representation")
        part, count, used = share_of_models(method, material.only(method.method.reads), share)
        assert (count, used) == (members, members / 3)
    assert len(part.checkpoints) == 2
    assert all(len(entries) == members for entries in part.checkpoints)
    for name in ("journey_window", "d_trak"):
        part, count, used = share_of_models(chosen(name), material, share)
        assert (count, used) == (members, members / 3)
        assert part.norm == material.norm[:members]
        assert part.windows == {timestep: entries[:members] for timestep, entries in material.windows.items()}
    part, count, used = share_of_models(chosen("datamodel"), material, share)
    assert (count, used) == (subsets, subsets / 40)
    assert [len(array) for array in (part.estimation.masks, part.estimation.outputs)] == [subsets] * 2
    assert part.features is material.features
    one = dataclasses.replace(chosen("trak"), members=1)
    assert share_of_models(one, material, share)[1:] == (1, 1 / 3)
    part, count, used = share_of_models(chosen("pixel"), material, share)
    assert part is material
    assert (count, used) == (0, 0)


def test_a_share_of_one_classifier_is_the_classifier(material, chosen):
    """However many members stand beside it."""
    one = material.replace(representations=material.representations[:1])
    for share in (0.1, 0.5, 1.0):
        part, count, used = share_of_models(chosen("representation"), one, share)
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
def test_runs_of_a_method_that_needs_members(material, spent, chosen, name):
    options = {"ridge": 0.1} if name == "trak" else {}
    runs = cost_runs(chosen(name, **options), material, 4, [0.5, 1.0], SPENT, seeds=5)
    assert list(runs) == [2, 3]
    for members, (scores, seconds) in runs.items():
        expected = np.empty((4, 30), np.float32)
        part = material.of_members(members).of_targets(slice(0, 4)).replace(cache={})
        score_function(chosen(name))(part, expected, **options)
        np.testing.assert_array_equal(scores, expected)
        assert seconds == pytest.approx(SPENT * members / 3 + 0.5)
    assert not material.cache  # no run is spared a kernel that another has paid for


def test_runs_of_a_method_that_needs_the_bank(material, spent, chosen):
    method = chosen("empirical_influence")
    runs = cost_runs(method, material, 4, [0.1, 0.5, 1.0], SPENT, seeds=5)
    assert list(runs) == [20, 100, 200]  # models, of which each subset has five
    for models, (scores, seconds) in runs.items():
        expected = np.empty((4, 30), np.float32)
        part = material.of_subsets(models // 5).of_targets(slice(0, 4))
        score_function(method)(part, expected)
        np.testing.assert_array_equal(scores, expected)
        assert seconds == pytest.approx(SPENT * models / 200 + 0.5)


def test_runs_of_a_method_that_needs_no_models(material, spent, chosen):
    runs = cost_runs(chosen("pixel"), material, 4, [0.1, 0.5, 1.0], SPENT, seeds=5)
    ((models, (scores, seconds)),) = runs.items()
    assert (models, seconds) == (0, 0.5)
    assert scores.shape == (4, 30)


def test_shares_that_come_to_the_same_models_run_once(material, spent, chosen):
    assert list(cost_runs(chosen("gradient_dot"), material, 4, [0.1, 0.3, 0.4, 1.0], SPENT, seeds=1)) == [1, 3]


def test_options_are_chosen_anew_with_the_whole_bank(material, spent, chosen, monkeypatch):
    seen = []
    choose = cost.run_method.__globals__["choose"]

    def spy(score, tuning, grid, bank, entries):
        seen.append((len(tuning.features), len(bank.masks), sorted(grid["ridge"])))
        return choose(score, tuning, grid, bank, entries)

    monkeypatch.setitem(cost.run_method.__globals__, "choose", spy)
    cost_runs(chosen("trak", ridge=[0.1, 1.0]), material, 4, [0.1, 1.0], SPENT, seeds=5)
    assert seen == [(1, 40, [0.1, 1.0]), (3, 40, [0.1, 1.0])]


@pytest.mark.parametrize("seconds", [None, 12.5])
def test_an_array_of_scores_costs_what_its_makers_say(material, spent, tmp_path, seconds):
    values = np.random.default_rng(0).standard_normal((4, 30)).astype(np.float32)
    np.save(tmp_path / "given.npy", values)
    item = {"name": "given", "scores": str(tmp_path / "given.npy"), "cpu_seconds": seconds}
    (method,) = methods_of({"task": "image_classification", "methods": [item]}).values()
    ((models, (scores, found)),) = cost_runs(method, material, 4, [0.1, 1.0], 0.0, seeds=5).items()
    assert (models, found) == (0, seconds)
    np.testing.assert_array_equal(scores, values)


def test_own_seconds_are_measured(material, chosen):
    ((_, seconds),) = cost_runs(chosen("datamodel"), material, 4, [1.0], 0.0, seeds=1).values()
    assert seconds > 0
