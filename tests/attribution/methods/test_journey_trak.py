import numpy as np
import pytest

from trakway.attribution.methods import journey_trak, trak

KINDS = [
    {},
    {"ridge": 0.1},
    {"ridge": 1.0, "weights": False, "soft_threshold": 0.5},
    {"ridge": 0.1, "average": "joint"},
]


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize("block", [5, 100])
def test_every_entry_has_the_scores_of_its_own_output(journey_material, scores_of, estimator, options, block):
    material = journey_material(block=block)
    expected = estimator(material.features, [entry.targets for entry in material.features], **options)
    found = scores_of(journey_trak.score, material, **options)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_of_whole_images_it_is_trak(journey_material, scores_of, options):
    material = journey_material()
    journey, whole = (scores_of(method.score, material, **options) for method in (journey_trak, trak))
    wholes = material.timesteps < 0
    np.testing.assert_allclose(journey[wholes], whole[wholes], rtol=1e-5, atol=1e-6 * np.abs(whole).max())
    assert not np.isclose(journey[~wholes], whole[~wholes], rtol=1e-2).all(1).any()


def test_a_training_example_that_is_the_step_scores_highest(journey_material, scores_of):
    material = journey_material(n=30, dim=200, members=3)
    for entry in material.features:
        entry.weights[:] = 0.4
        entry.targets[[1, 2]] = entry.train[[7, 21]]
    found = scores_of(journey_trak.score, material, ridge=0.1)
    np.testing.assert_array_equal(found[[1, 2]].argmax(1), [7, 21])
