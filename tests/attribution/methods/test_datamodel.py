import numpy as np
import pytest
from scipy.stats import spearmanr

from trakway.attribution.methods import datamodel
from trakway.attribution.values import EstimationBank


@pytest.fixture(scope="module")
def planted():
    """Outputs that are linear in the subsets, with noise: six of 60 examples matter to each of two targets."""
    rng = np.random.default_rng(0)
    truth = np.zeros((2, 60))
    truth[:, [3, 10, 20, 31, 47, 59]] = [[1, -1, 0.8, -0.8, 0.6, -0.6], [-2, 1.6, -1.2, 1.2, 0.8, -0.8]]
    masks = rng.random((250, 60)) < 0.5
    return truth, masks, 5 + masks @ truth.T + 0.3 * rng.standard_normal((250, 2))


def test_recovers_a_sparse_truth(random_material, scores_of, planted):
    truth, masks, outputs = planted
    material = random_material(n=60, targets=2, estimation=EstimationBank(masks, outputs))
    found = scores_of(datamodel.score, material)
    for target in range(2):
        known = truth[target] != 0
        assert (np.sign(found[target][known]) == np.sign(truth[target][known])).all()
        assert np.abs(found[target][known] - truth[target][known]).max() < 0.15
        assert np.abs(found[target][~known]).max() < 0.1
        assert spearmanr(found[target][known], truth[target][known]).statistic > 0.9


def test_each_target_alone_gives_the_same(random_material, scores_of, planted):
    _, masks, outputs = planted
    material = random_material(n=60, targets=2, estimation=EstimationBank(masks, outputs))
    np.testing.assert_array_equal(
        scores_of(datamodel.score, material)[1:], scores_of(datamodel.score, material.of_targets(slice(1, None)))
    )


def test_is_a_lasso(random_material, scores_of, planted):
    """Optimality: one and the same correlation with the residual where a coefficient is not 0, no larger elsewhere."""
    _, masks, outputs = planted
    material = random_material(n=60, targets=2, estimation=EstimationBank(masks, outputs))
    inside = masks - masks.mean(axis=0)
    for coefficients, y in zip(np.float64(scores_of(datamodel.score, material)), outputs.T, strict=True):
        slope = inside.T @ (y - y.mean() - inside @ coefficients) / len(y)
        used = coefficients != 0
        penalty = np.abs(slope[used]).mean()
        assert 6 <= used.sum() < 60
        assert penalty > 1e-3
        np.testing.assert_allclose(slope[used], penalty * np.sign(coefficients[used]), rtol=0.05)
        assert np.abs(slope).max() <= 1.05 * penalty


def test_outputs_that_nothing_changes_score_zero(random_material, scores_of):
    material = random_material()
    material.estimation.outputs[:] = 2.5
    assert (scores_of(datamodel.score, material) == 0).all()


def test_the_fewest_subsets_allowed(random_material, scores_of):
    rng = np.random.default_rng(0)
    bank = EstimationBank(rng.random((2, 12)) < 0.5, rng.standard_normal((2, 3)))
    scores_of(datamodel.score, random_material(estimation=bank))
