"""Tests of the bootstrap against resampled arrays written out and handed to scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from trakway.metrics import intervals
from trakway.metrics.lds import lds_per_target


@settings(deadline=None)
@given(st.integers(0, 2**40), st.integers(1, 30))
def test_draw_counts_size_items(seed, size):
    counts = intervals.draw(seed, "subsets", size, 20)
    assert counts.shape == (size, 20)
    assert (counts.sum(axis=0) == size).all()
    assert (counts >= 0).all()


def test_draw_is_uniform_and_keyed_by_seed_and_role():
    counts = intervals.draw(0, "subsets", 10, 20_000)
    np.testing.assert_allclose(counts.mean(axis=1), 1, atol=0.05)
    np.testing.assert_allclose(counts.var(axis=1), 0.9, atol=0.05)
    np.testing.assert_array_equal(counts, intervals.draw(0, "subsets", 10, 20_000))
    assert (counts != intervals.draw(1, "subsets", 10, 20_000)).any()
    assert (counts != intervals.draw(0, "targets", 10, 20_000)).any()


def brute_bootstrap(predictions, outputs, seed, resamples):
    subsets, targets = outputs.shape
    drawn = [intervals.draw(seed, "subsets", subsets, resamples), intervals.draw(seed, "targets", targets, resamples)]
    result = np.zeros((len(predictions), resamples))
    for b in range(resamples):
        rows = np.repeat(np.arange(subsets), drawn[0][:, b])
        columns = np.repeat(np.arange(targets), drawn[1][:, b])
        for method, prediction in enumerate(predictions):
            pairs = [(prediction[rows, t], outputs[rows, t]) for t in columns]
            result[method, b] = np.mean(
                [spearmanr(*pair).statistic if all(map(np.ptp, pair)) else 0.0 for pair in pairs]
            )
    return result


def test_bootstrap_is_exact_with_ties_and_constants():
    rng = np.random.default_rng(0)
    outputs = np.round(rng.standard_normal((12, 5)), 1)
    predictions = [rng.standard_normal((12, 5)), rng.integers(0, 3, (12, 5)).astype(float), np.zeros((12, 5))]
    result = intervals.bootstrap_lds(predictions, outputs, seed=7, resamples=30)
    np.testing.assert_allclose(result, brute_bootstrap(predictions, outputs, 7, 30), atol=1e-12)


def test_many_subsets_stay_precise():
    rng = np.random.default_rng(0)
    outputs = rng.standard_normal((900, 1))
    prediction = outputs + rng.standard_normal((900, 1))
    result = intervals.bootstrap_lds([prediction], outputs, seed=0, resamples=3)
    np.testing.assert_allclose(result, brute_bootstrap([prediction], outputs, 0, 3), atol=1e-5)


def test_how_many_resamples_at_once_does_not_matter(monkeypatch):
    rng = np.random.default_rng(0)
    outputs, prediction = rng.standard_normal((2, 15, 4))
    whole = intervals.bootstrap_lds([prediction], outputs, seed=0, resamples=50)
    monkeypatch.setattr(intervals, "RESAMPLES_AT_ONCE", 7)
    np.testing.assert_array_equal(intervals.bootstrap_lds([prediction], outputs, seed=0, resamples=50), whole)


def test_interval_takes_the_middle():
    assert intervals.interval(np.arange(1, 1001), 0.95) == (25, 975)
    assert intervals.interval(np.array([1.0] * 50 + [np.inf] * 50), 0.9) == (1, np.inf)


def test_interval_covers_a_correlation_common_to_new_subsets_and_targets():
    """Noise shared by the targets of a subset: an interval over targets alone would be far too narrow."""
    rng, covered, covered_by_targets = np.random.default_rng(0), 0, 0
    worlds, subsets, targets = 60, 40, 20
    for world in range(worlds):
        shared = rng.standard_normal((subsets, 1)) * np.sqrt(0.8)
        prediction = np.sqrt(0.5) * (rng.standard_normal((subsets, 1)) + rng.standard_normal((subsets, targets)))
        outputs = 0.5 * prediction + np.sqrt(0.75) * (shared + np.sqrt(0.2) * rng.standard_normal((subsets, targets)))
        truth = 6 / np.pi * np.arcsin(0.5 / 2)
        low, high = intervals.interval(intervals.bootstrap_lds([prediction], outputs, seed=world, resamples=200)[0])
        covered += low <= truth <= high
        per_target = lds_per_target(prediction, outputs)
        low, high = intervals.interval(intervals.draw(world, "x", targets, 200).T @ per_target / targets)
        covered_by_targets += low <= truth <= high
    assert covered >= 0.85 * worlds
    assert covered_by_targets < 0.6 * worlds


def test_paired_difference_is_sure_where_intervals_overlap():
    rng = np.random.default_rng(0)
    common = rng.standard_normal(1000)
    first, second = 0.1 + common + 0.01 * rng.standard_normal(1000), common
    assert intervals.interval(first)[0] < intervals.interval(second)[1]
    result = intervals.paired_difference(0.1, 0.0, first, second)
    assert result.difference == pytest.approx(0.1)
    assert 0 < result.low < 0.1 < result.high
    assert result.share == 1


def test_a_method_does_not_beat_itself():
    values = np.random.default_rng(0).standard_normal(100)
    assert intervals.paired_difference(0.3, 0.3, values, values) == (0, 0, 0, 0.5)
