import dataclasses

import numpy as np
import pytest

from trakway.attribution.methods import trak
from trakway.explorer.self_influence import self_influence


@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("ridge", [0.1, 2.0])
@pytest.mark.parametrize("more_features", [False, True])
def test_it_is_the_score_of_an_example_for_itself(material, weights, ridge, more_features):
    members = material.features
    if more_features:  # than examples
        wide = np.random.default_rng(1).standard_normal((6, 50)).astype(np.float32)
        members = [dataclasses.replace(member, train=member.train @ wide) for member in members]
    itself = [dataclasses.replace(member, targets=member.train) for member in members]
    scores = np.empty((material.size, material.size), np.float32)
    trak.estimate(material.replace(features=itself, targets=material.size), scores, ridge=ridge, weights=weights)
    found = self_influence(members, ridge, weights)
    np.testing.assert_allclose(found, scores.diagonal(), rtol=1e-4, atol=1e-6)
    assert (found >= 0).all()
