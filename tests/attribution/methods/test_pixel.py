import numpy as np
import pytest

from trakway.attribution.methods import pixel
from trakway.attribution.values import Pictures


@pytest.mark.parametrize("block", [1, 5, 100])
def test_is_the_correlation_of_the_pixels_signed_by_class(random_material, scores_of, block):
    material = random_material(block=block)
    train, targets = material.examples.train, material.examples.targets
    train_labels, target_labels = material.labels
    found = scores_of(pixel.score, material)
    for target in range(material.targets):
        for i in range(material.size):
            expected = np.corrcoef(targets[target].ravel(), train[i].ravel())[0, 1]
            sign = 1 if train_labels[i] == target_labels[target] else -1
            assert found[target, i] == pytest.approx(sign * expected, rel=1e-5, abs=1e-6)


def test_twins_help_in_their_own_class_and_harm_in_the_other(random_material, scores_of):
    rng = np.random.default_rng(0)
    train, targets = rng.integers(0, 256, (12, 3, 4, 4), np.uint8), rng.integers(0, 256, (3, 3, 4, 4), np.uint8)
    train[5], targets[0] = train[4], train[4]
    labels = (np.array([0, 1] * 6), np.array([0, 1, 1]))
    found = scores_of(pixel.score, random_material(examples=Pictures(train, targets, targets), labels=labels))[0]
    assert (found.argmax(), found.argmin()) == (4, 5)
    assert found[4] == pytest.approx(1)
    assert found[5] == pytest.approx(-1)


def test_brightness_does_not_matter_and_an_even_image_scores_zero(random_material, scores_of):
    material = random_material()
    train = material.examples.train
    train[:] = train // 4
    before = scores_of(pixel.score, material)
    train[0] = train[0] * 2 + 30
    train[1] = 255
    after = scores_of(pixel.score, material)
    np.testing.assert_allclose(after[:, 0], before[:, 0], rtol=1e-4, atol=1e-6)
    assert (after[:, 1] == 0).all()


def test_without_classes_no_sign(random_material, scores_of):
    material = random_material(labels=None)
    examples = material.examples
    train, targets = (images.reshape(len(images), -1) for images in (examples.train, examples.targets))
    expected = np.corrcoef(np.concatenate([targets, train]))[: len(targets), len(targets) :]
    assert (expected < 0).any()
    np.testing.assert_allclose(scores_of(pixel.score, material), expected, rtol=1e-4, atol=1e-6)
