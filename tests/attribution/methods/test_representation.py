import math

import numpy as np
import pytest

from trakway.attribution.methods import representation


@pytest.mark.parametrize("block", [1, 5, 100])
def test_is_the_mean_cosine_signed_by_class(random_material, scores_of, block):
    material = random_material(members=3, block=block)
    train_labels, target_labels = material.labels
    found = scores_of(representation.score, material)
    for target in range(material.targets):
        for i in range(material.size):
            parts = []
            for train, targets in material.representations:
                a, b = targets[target].tolist(), train[i].tolist()
                parts.append(sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b))
            sign = 1 if train_labels[i] == target_labels[target] else -1
            assert found[target, i] == pytest.approx(sign * sum(parts) / 3, rel=1e-5, abs=1e-6)


def test_twins_help_in_their_own_class_and_harm_in_the_other(random_material, scores_of):
    train_labels = np.array([0, 1] * 6)
    material = random_material(labels=(train_labels, np.array([0, 1, 1])))
    for train, targets in material.representations:
        train[5] = train[4]  # of the other class
        targets[0] = train[4]
    found = scores_of(representation.score, material)[0]
    assert (found.argmax(), found.argmin()) == (4, 5)
    assert found[4] == pytest.approx(1)
    assert found[5] == pytest.approx(-1)


def test_a_representation_of_zeros_scores_zero(random_material, scores_of):
    material = random_material()
    for train, _ in material.representations:
        train[2] = 0  # what ReLUs may do
    assert (scores_of(representation.score, material)[:, 2] == 0).all()


def test_without_classes_no_sign(random_material, scores_of):
    material = random_material(members=1, labels=None)
    ((train, targets),) = material.representations
    lengths = np.outer(np.linalg.norm(targets, axis=1), np.linalg.norm(train, axis=1))
    expected = targets @ train.T / lengths
    assert (expected < 0).any()
    np.testing.assert_allclose(scores_of(representation.score, material), expected, rtol=1e-4, atol=1e-6)
