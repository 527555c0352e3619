import numpy as np
import pytest

from trakway.attribution.methods import gradient_dot, tracin


@pytest.mark.parametrize("block", [1, 5, 100])
def test_sums_over_checkpoints_and_averages_over_members(random_material, scores_of, block):
    material = random_material(members=2, checkpoints=3, block=block)
    found = scores_of(tracin.score, material)
    rates = [[entry.learning_rate for entry in entries] for entries in material.checkpoints]
    assert rates == [[0.5, 0.5], [1.5, 1.5], [2.5, 2.5]]  # else the rates would go untested
    for target in range(material.targets):
        for i in range(material.size):
            total = 0.0
            for member in range(2):
                for entries in material.checkpoints:
                    e = entries[member]
                    dot = sum(float(a) * float(b) for a, b in zip(e.targets[target], e.train[i], strict=True))
                    total += e.learning_rate * dot * float(e.weights[i])
            assert found[target, i] == pytest.approx(total / 2, rel=1e-5, abs=1e-5)


def test_one_checkpoint_at_rate_one_is_the_gradient_dot_product(random_material, scores_of):
    material = random_material()
    material = material.replace(checkpoints=[material.features])
    np.testing.assert_allclose(
        scores_of(tracin.score, material), scores_of(gradient_dot.score, material), rtol=1e-5, atol=1e-6
    )


def test_a_training_example_that_is_the_target_helps_most(random_material, scores_of):
    material = random_material(n=30, dim=200)
    for entry in sum(material.checkpoints, []):
        entry.targets[:] = entry.train[[4, 8, 15]]
        entry.weights[:] = 0.5
    np.testing.assert_array_equal(scores_of(tracin.score, material).argmax(axis=1), [4, 8, 15])
