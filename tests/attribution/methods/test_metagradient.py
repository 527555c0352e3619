import numpy as np
import pytest

from trakway.attribution.methods import ekfac, journey_metagradient, metagradient
from trakway.errors import UserError


def test_the_mean_of_the_runs(random_material, scores_of):
    material = random_material(block=5)
    expected = np.mean(material.metagradients["full", 0], axis=0)
    np.testing.assert_allclose(scores_of(metagradient.score, material), expected, rtol=1e-6)


def test_at_a_step_those_of_the_image_or_of_the_step(journey_material, scores_of):
    material = journey_material()
    own = np.mean(material.metagradients["full", 0], axis=0)
    np.testing.assert_allclose(scores_of(journey_metagradient.score, material), own, rtol=1e-6)
    np.testing.assert_allclose(scores_of(metagradient.score, material), own[material.final], rtol=1e-6)


def test_fewer_runs(random_material, scores_of):
    material = random_material()
    np.testing.assert_allclose(
        scores_of(metagradient.score, material.of_members(1)), material.metagradients["full", 0][0], rtol=1e-6
    )


def test_where_the_derivative_is_taken(random_material, scores_of):
    material = random_material()
    expected = np.mean(material.metagradients["middle", 0], axis=0)
    np.testing.assert_allclose(scores_of(metagradient.score, material, at="middle"), expected, rtol=1e-6)


def test_from_when_on(random_material, scores_of):
    material = random_material()
    expected = np.mean(material.metagradients["full", 0.5], axis=0)
    np.testing.assert_allclose(scores_of(metagradient.score, material, start=0.5), expected, rtol=1e-6)


def test_what_was_not_computed_is_told(random_material, scores_of):
    with pytest.raises(
        UserError,
        match=r"metagradient: at, start: found no members from 0, .*; allowed: full from 0, ",
    ):
        scores_of(metagradient.score, random_material(), at="members")
    with pytest.raises(UserError, match=r"scores.damping: found no 7.0"):
        scores_of(ekfac.score, random_material(), damping=7.0)
