import numpy as np
import pytest

from trakway.attribution.methods import d_trak, journey_d_trak, trak

KINDS = [{"ridge": 0.1}, {"ridge": 1.0, "weights": False, "soft_threshold": 0.5}, {"ridge": 0.1, "average": "joint"}]


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_is_the_estimator_on_gradients_of_the_norm_of_the_whole_image(journey_material, scores_of, estimator, options):
    material = journey_material()
    expected = estimator(material.norm, [entry.targets[material.final] for entry in material.norm], **options)
    found = scores_of(d_trak.score, material, **options)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_on_the_way_each_entry_has_its_own(journey_material, scores_of, estimator, options):
    material = journey_material()
    expected = estimator(material.norm, [entry.targets for entry in material.norm], **options)
    found = scores_of(journey_d_trak.score, material, **options)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_kernels_of_the_norm_and_of_the_output_are_kept_apart(journey_material, scores_of):
    """All methods share one material, and its cache."""
    material = journey_material()
    methods = (trak, d_trak, journey_d_trak)
    first = [scores_of(method.score, material, ridge=0.1) for method in methods]
    for method, found in zip(methods[::-1], first[::-1], strict=True):
        np.testing.assert_array_equal(scores_of(method.score, material, ridge=0.1), found)
        np.testing.assert_array_equal(scores_of(method.score, journey_material(), ridge=0.1), found)
