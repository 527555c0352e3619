import numpy as np
import pytest

from trakway.attribution.methods import gradient_dot


@pytest.mark.parametrize("block", [1, 5, 100])
def test_is_the_mean_over_members_of_weighted_dot_products(random_material, scores_of, block):
    material = random_material(members=3, block=block)
    found = scores_of(gradient_dot.score, material)
    for target in range(material.targets):
        for i in range(material.size):
            parts = [
                sum(float(a) * float(b) for a, b in zip(e.targets[target], e.train[i], strict=True))
                * float(e.weights[i])
                for e in material.features
            ]
            assert found[target, i] == pytest.approx(sum(parts) / 3, rel=1e-5, abs=1e-6)


def test_a_training_example_that_is_the_target_helps_most(random_material, scores_of):
    material = random_material(n=30, dim=200)
    for entry in material.features:
        entry.targets[:] = entry.train[[4, 8, 15]]
        entry.weights[:] = 0.5
    np.testing.assert_array_equal(scores_of(gradient_dot.score, material).argmax(axis=1), [4, 8, 15])


def test_an_example_that_is_fitted_has_no_say(random_material, scores_of):
    material = random_material()
    for entry in material.features:
        entry.weights[3] = 0
    found = scores_of(gradient_dot.score, material)
    assert (found[:, 3] == 0).all()
    assert (np.delete(found, 3, axis=1) != 0).all()
