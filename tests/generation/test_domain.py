import numpy as np
import pytest
import torch

from trakway.data import ImageData
from trakway.generation import domain
from trakway.generation.domain import DomainClassifier
from trakway.plan import task_settings
from trakway.storage.files import write_json
from trakway.tasks import build_task
from trakway.training import Ensemble, train_shard

SETTINGS = {
    "task": "image_diffusion",
    "seed": 4,
    "model": {"name": "unet"},
    "domain": {"model": {"name": "resnet_small", "widths": [4, 8]}},
}


@pytest.fixture(scope="module")
def classifier(digits):
    task = build_task(task_settings(SETTINGS, "domain"), digits)
    model = task.new_model(0)
    with torch.no_grad():
        model(task.train_batch(np.arange(24))[0])  # statistics of the data: else all look the same
    return DomainClassifier(task, model.eval())


@pytest.fixture(scope="module")
def images(digits):
    """Training images as a diffusion model sees them."""
    return (ImageData.load(digits).train_images / 127.5 - 1).astype(np.float32)


def test_a_batch_is_that_of_the_classification(classifier, images):
    for given in (images, torch.tensor(images)):
        pixels, labels = classifier.batch(given)
        torch.testing.assert_close(pixels, classifier.task.train_batch(np.arange(24))[0], rtol=1e-5, atol=1e-5)
        assert pixels.dtype == torch.float32
        assert labels.tolist() == [0] * 24  # asked for by the form of a batch, used by nothing


def test_pixels_beyond_the_range_are_cut_off(classifier, images):
    beyond = np.where(images > 0.5, images + 2, np.where(images < -0.5, images - 2, images))
    expected = np.where(images > 0.5, 1, np.where(images < -0.5, -1, images))
    assert torch.equal(classifier.batch(beyond)[0], classifier.batch(expected)[0])
    assert beyond.max() > 2.5  # what was given stays as it was


def test_features_and_probabilities(classifier, images):
    features, probabilities = classifier(images)
    assert (features.shape, probabilities.shape) == ((24, 8), (24, 10))
    assert features.dtype == probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)
    assert probabilities.min() > 0
    head = classifier.model.fc
    logits = features @ head.weight.detach().numpy().T + head.bias.detach().numpy()
    np.testing.assert_allclose(
        np.log(probabilities), logits - np.log(np.exp(logits).sum(1, keepdims=True)), rtol=1e-4, atol=1e-5
    )
    assert len({tuple(row) for row in features}) == 24


@pytest.mark.parametrize("together", [1, 7])
def test_batches_change_nothing(classifier, images, monkeypatch, together):
    whole = classifier(images)
    monkeypatch.setattr(domain, "IMAGES_AT_ONCE", together)
    for found, array in zip(classifier(images), whole, strict=True):
        np.testing.assert_allclose(found, array, rtol=1e-5, atol=1e-6)


def test_images_on_disk_may_be_read_only(classifier, images, tmp_path):
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    for found, array in zip(classifier(mapped), classifier(images), strict=True):
        np.testing.assert_array_equal(found, array)
    np.testing.assert_array_equal(np.load(tmp_path / "images.npy"), images)


def test_the_trained_classifier_is_loaded(digits, images, experiment, tmp_path):
    task = build_task(task_settings(SETTINGS, "domain"), digits)
    training = experiment["training"] | {"epochs": 1, "checkpoints": 1}
    models, _, _ = train_shard(task, Ensemble("domain", np.ones((1, 24), bool), 1), range(1), training, "any", tmp_path)
    write_json(tmp_path / "shard.json", {"ensemble": "domain", "folder": ".", "models": models})
    loaded = DomainClassifier.load(SETTINGS, digits, tmp_path / "shard.json", "cpu")
    assert not loaded.model.training
    with torch.no_grad():
        expected = loaded.model(task.train_batch(np.arange(24))[0]).softmax(1)
    np.testing.assert_allclose(loaded(images)[1], expected, rtol=1e-4, atol=1e-5)
    fresh = task.new_model(task.training_seed("domain", 0)).state_dict()
    trained = loaded.model.state_dict()
    assert not torch.equal(trained["fc.weight"], fresh["fc.weight"])
