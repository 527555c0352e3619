import numpy as np
import pytest
from scipy.stats import spearmanr

from trakway.attribution.material import Material
from trakway.attribution.tuning import choose
from trakway.attribution.values import EstimationBank


@pytest.fixture
def planted():
    """A method that is right with one pair of options, and further off the farther they are from it."""
    rng = np.random.default_rng(0)
    truth, noise = rng.standard_normal((2, 5, 20))
    masks = rng.random((60, 20)) < 0.5
    outputs = masks @ truth.T + 0.01 * rng.standard_normal((60, 5))
    calls = []

    def score(material, out, *, ridge=0.0, soft_threshold=0.0):
        calls.append((ridge, soft_threshold))
        out[:] = truth + (abs(ridge - 1.0) + abs(soft_threshold - 0.5)) * noise

    return score, Material(0, 20, 5), EstimationBank(masks, outputs), calls


@pytest.mark.parametrize("ridges", [[0.0, 1.0, 3.0], [1.0, 0.0, 3.0], [3.0, 0.0, 1.0]])
def test_finds_the_planted_options_wherever_they_stand(planted, ridges):
    score, material, bank, calls = planted
    grid = {"ridge": ridges, "soft_threshold": [0.0, 0.5]}
    options, tried = choose(score, material, grid, bank)
    assert options == {"ridge": 1.0, "soft_threshold": 0.5}
    assert calls == [(ridge, threshold) for ridge in ridges for threshold in (0.0, 0.5)]
    assert [(entry["ridge"], entry["soft_threshold"]) for entry in tried] == calls


def test_tells_the_lds_of_every_combination(planted):
    score, material, bank, _ = planted
    _, tried = choose(score, material, {"ridge": [1.0, 2.0, 5.0]}, bank)
    for entry in tried:
        scores = np.empty((5, 20))
        score(material, scores, ridge=entry["ridge"])
        expected = np.mean([spearmanr(bank.masks @ scores[t], bank.outputs[:, t]).statistic for t in range(5)])
        assert entry["lds"] == pytest.approx(expected, abs=1e-6)
    assert len({round(entry["lds"], 3) for entry in tried}) == 3


@pytest.mark.parametrize("entries", [slice(1, 3), np.array([False, True, True, False, False])])
def test_some_entries_decide(planted, entries):
    score, material, bank, _ = planted
    other = np.empty((5, 20))
    score(material, other, ridge=3.0)
    bank.outputs[:, [0, 3, 4]] = (bank.masks @ other.T)[:, [0, 3, 4]]
    grid = {"ridge": [1.0, 3.0], "soft_threshold": [0.5]}
    assert choose(score, material, grid, bank)[0]["ridge"] == 3.0
    options, tried = choose(score, material, grid, bank, entries)
    assert options["ridge"] == 1.0
    assert tried[0]["lds"] > 0.99


def test_one_combination_computes_nothing(planted):
    score, material, _, calls = planted
    options, tried = choose(score, material, {"ridge": [0.3], "soft_threshold": [0.0]}, None)
    assert (options, tried, calls) == ({"ridge": 0.3, "soft_threshold": 0.0}, [], [])
    assert choose(score, material, {}, None) == ({}, [])
    assert not calls


def test_the_first_of_equals_wins(planted):
    score, material, bank, _ = planted
    options, tried = choose(score, material, {"ridge": [3.0, 0.75, 1.25]}, EstimationBank(bank.masks, 0 * bank.outputs))
    assert {entry["lds"] for entry in tried} == {0.0}
    assert options == {"ridge": 3.0}
