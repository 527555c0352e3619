import numpy as np

from trakway.attribution.methods import random


def test_is_standard_normal(random_material, scores_of):
    found = scores_of(random.score, random_material(n=2000, targets=5))
    assert abs(found.mean()) < 5 / 100
    assert abs(found.std() - 1) < 5 / 140
    correlations = np.corrcoef(found)[np.triu_indices(5, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(2000)


def test_a_target_keeps_its_scores_whatever_the_number_of_targets(random_material, scores_of):
    few, many = (scores_of(random.score, random_material(n=20, targets=targets)) for targets in (2, 6))
    np.testing.assert_array_equal(few, many[:2])


def test_depends_on_the_seed_alone(random_material, scores_of):
    material = random_material(seed=3)
    found = scores_of(random.score, material)
    np.testing.assert_array_equal(found, scores_of(random.score, random_material(seed=3, block=1, members=1)))
    assert (found != scores_of(random.score, material.replace(seed=4))).all()
