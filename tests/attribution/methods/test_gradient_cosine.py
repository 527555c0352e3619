import dataclasses
import math

import numpy as np
import pytest

from trakway.attribution.methods import gradient_cosine


@pytest.mark.parametrize("block", [1, 5, 100])
def test_is_the_mean_over_members_of_cosines(random_material, scores_of, block):
    material = random_material(members=3, block=block)
    found = scores_of(gradient_cosine.score, material)
    for target in range(material.targets):
        for i in range(material.size):
            parts = []
            for entry in material.features:
                a, b = entry.targets[target].tolist(), entry.train[i].tolist()
                parts.append(sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b))
            assert found[target, i] == pytest.approx(sum(parts) / 3, rel=1e-5, abs=1e-6)


def test_the_target_itself_has_cosine_one_and_its_opposite_minus_one(random_material, scores_of):
    material = random_material()
    for entry in material.features:
        entry.targets[:] = 3 * entry.train[[4, 8, 2]]
        entry.train[5] = -7 * entry.train[4]
    found = scores_of(gradient_cosine.score, material)
    np.testing.assert_array_equal(found.argmax(axis=1), [4, 8, 2])
    np.testing.assert_allclose(found[[0, 1, 2], [4, 8, 2]], 1, rtol=1e-6)
    assert found[0, 5] == pytest.approx(-1)
    assert np.abs(found).max() <= 1 + 1e-6


def test_a_gradient_of_zeros_scores_zero(random_material, scores_of):
    material = random_material()
    for entry in material.features:
        entry.train[3] = 0
    assert (scores_of(gradient_cosine.score, material)[:, 3] == 0).all()


def test_weights_do_not_matter(random_material, scores_of):
    material = random_material()
    other = [dataclasses.replace(entry, weights=entry.weights * 0) for entry in material.features]
    np.testing.assert_array_equal(
        scores_of(gradient_cosine.score, material),
        scores_of(gradient_cosine.score, material.replace(features=other)),
    )
