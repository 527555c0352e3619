import numpy as np
import pytest

from trakway.metrics.effects import effect


def test_against_a_loop():
    rng = np.random.default_rng(0)
    masks, outputs = rng.random((9, 4)) < 0.5, rng.standard_normal((9, 3))
    for example in range(4):
        difference, error = effect(masks, outputs, example)
        for target in range(3):
            seen = [outputs[row, target] for row in range(9) if masks[row, example]]
            rest = [outputs[row, target] for row in range(9) if not masks[row, example]]
            assert difference[target] == pytest.approx(np.mean(seen) - np.mean(rest))
            variance = np.var(seen, ddof=1) / len(seen) + np.var(rest, ddof=1) / len(rest)
            assert error[target] == pytest.approx(np.sqrt(variance))


def test_the_planted_effect_is_within_the_error():
    rng = np.random.default_rng(1)
    masks = rng.random((400, 20)) < 0.5
    outputs = (masks @ np.arange(20.0) + rng.standard_normal(400))[:, None]
    for example in range(20):
        difference, error = (value[0] for value in effect(masks, outputs, example))
        assert abs(difference - example) < 4 * error


def test_too_few_subsets():
    masks = np.array([[True], [False], [False]])
    assert np.isnan(effect(masks, np.zeros((3, 2)), 0)).all()
