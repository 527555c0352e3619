import dataclasses

import numpy as np
import pytest

from trakway.attribution.methods import pixel, pixel_journey


@pytest.mark.parametrize("block", [5, 100])
def test_is_the_correlation_of_the_pixels_with_what_the_sampler_expects(journey_material, scores_of, block):
    material = journey_material(block=block)
    found = scores_of(pixel_journey.score, material)
    train, seen = material.examples.train, material.examples.seen
    for target in range(material.targets):
        for i in range(material.size):
            expected = np.corrcoef(seen[target].ravel(), train[i].ravel())[0, 1]
            assert found[target, i] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_is_the_similarity_of_pixels_where_the_estimate_is_the_image(journey_material, scores_of):
    material = journey_material()
    same = journey_material(examples=dataclasses.replace(material.examples, seen=material.examples.targets))
    np.testing.assert_array_equal(scores_of(pixel_journey.score, same), scores_of(pixel.score, same))
