import numpy as np

from trakway.attribution.methods import journey_metagradient, metagradient


def test_the_mean_of_the_runs(random_material, scores_of):
    material = random_material(block=5)
    expected = np.mean(material.metagradients, axis=0)
    np.testing.assert_allclose(scores_of(metagradient.score, material), expected, rtol=1e-6)


def test_at_a_step_those_of_the_image_or_of_the_step(journey_material, scores_of):
    material = journey_material()
    own = np.mean(material.metagradients, axis=0)
    np.testing.assert_allclose(scores_of(journey_metagradient.score, material), own, rtol=1e-6)
    np.testing.assert_allclose(scores_of(metagradient.score, material), own[material.final], rtol=1e-6)


def test_fewer_runs(random_material, scores_of):
    material = random_material()
    np.testing.assert_allclose(
        scores_of(metagradient.score, material.of_members(1)), material.metagradients[0], rtol=1e-6
    )
