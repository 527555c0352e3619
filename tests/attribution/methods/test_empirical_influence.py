import numpy as np
import pytest

from trakway.attribution.methods import empirical_influence
from trakway.attribution.values import EstimationBank


@pytest.mark.parametrize("block", [1, 5, 100])
def test_is_the_mean_with_less_the_mean_without(random_material, scores_of, block):
    material = random_material(block=block)
    bank = material.estimation
    found = scores_of(empirical_influence.score, material)
    for target in range(material.targets):
        for i in range(material.size):
            inside = [f[target] for f, mask in zip(bank.outputs, bank.masks, strict=True) if mask[i]]
            outside = [f[target] for f, mask in zip(bank.outputs, bank.masks, strict=True) if not mask[i]]
            expected = sum(inside) / len(inside) - sum(outside) / len(outside)
            assert found[target, i] == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_an_example_in_all_subsets_or_none_scores_zero(random_material, scores_of):
    material = random_material()
    before = scores_of(empirical_influence.score, material)
    material.estimation.masks[:, [2, 7]] = True, False
    found = scores_of(empirical_influence.score, material)
    assert (found[:, [2, 7]] == 0).all()
    assert (before[:, [2, 7]] != 0).all()
    np.testing.assert_array_equal(np.delete(found, [2, 7], axis=1), np.delete(before, [2, 7], axis=1))


def test_what_raises_the_output_scores_highest(random_material, scores_of):
    masks = np.random.default_rng(0).random((200, 12)) < 0.5
    outputs = np.stack([1.0 * masks[:, 3], -1.0 * masks[:, 3], masks[:, 8] - 2.0 * masks[:, 1]], axis=1)
    found = scores_of(empirical_influence.score, random_material(estimation=EstimationBank(masks, outputs)))
    assert found[0].argmax() == found[1].argmin() == 3
    assert found[0, 3] == pytest.approx(1)
    assert (found[2].argmax(), found[2].argmin()) == (8, 1)


def test_sums_are_in_float64(random_material, scores_of):
    """Outputs far from zero, stored in float32: a float32 sum would lose the difference."""
    material = random_material()
    outputs = (material.estimation.outputs + 3e4).astype(np.float32)
    found, exact = (
        scores_of(
            empirical_influence.score,
            material.replace(estimation=EstimationBank(material.estimation.masks, outputs.astype(kind))),
        )
        for kind in (np.float32, np.float64)
    )
    np.testing.assert_array_equal(found, exact)
