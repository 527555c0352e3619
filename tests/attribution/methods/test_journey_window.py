import numpy as np
import pytest

from trakway.attribution.methods import journey_trak, journey_window

KINDS = [{"ridge": 0.1}, {"ridge": 1.0, "weights": False, "soft_threshold": 0.5}, {"ridge": 0.1, "average": "joint"}]


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_training_features_are_those_of_the_step(journey_material, scores_of, estimator, options):
    material = journey_material()
    found = scores_of(journey_window.score, material, **options)
    for position, step in enumerate(material.timesteps):
        members = material.features if step < 0 else material.windows[step]
        (expected,) = estimator(members, [entry.targets[[position]] for entry in material.features], **options)
        assert np.abs(found[position] - expected).max() <= 1e-5 * np.abs(expected).max()


def test_is_journey_trak_where_the_windows_hold_what_all_steps_do(journey_material, scores_of):
    material = journey_material()
    same = material.replace(windows=dict.fromkeys(material.windows, material.features))
    np.testing.assert_allclose(
        scores_of(journey_window.score, same, ridge=0.1), scores_of(journey_trak.score, same, ridge=0.1), rtol=1e-5
    )


def test_windows_of_other_members_are_not_used(journey_material, scores_of):
    material = journey_material()
    windows = {step: entries[:1] for step, entries in material.windows.items()}
    with pytest.raises(ValueError, match=r"zip\(\)"):
        scores_of(journey_window.score, material.replace(windows=windows), ridge=0.1)


def test_a_step_without_a_window_is_a_mistake(journey_material, scores_of):
    """Rather than the scores of another method."""
    material = journey_material()
    with pytest.raises(KeyError):
        scores_of(journey_window.score, material.replace(windows={700: material.windows[700]}), ridge=0.1)
