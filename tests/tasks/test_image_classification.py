import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from trakway.data import ImageData
from trakway.errors import UserError
from trakway.storage.files import read_json, write_json, write_table
from trakway.tasks import build_task, classification, image_classification
from trakway.tasks.image_classification import ImageClassification
from trakway.tasks.margin import margin


def drawn(batch, classes, scale, seed=0):
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(scale * rng.standard_normal((batch, classes)))
    return logits, torch.from_numpy(rng.integers(0, classes, batch))


def plain(logits):
    """A model whose logits are its input."""
    return logits


@pytest.fixture
def model(task):
    return task.new_model(0).eval()


@given(batch=st.integers(1, 6), classes=st.integers(2, 10), scale=st.floats(0, 6), seed=st.integers(0, 99))
def test_margin_is_the_log_odds(batch, classes, scale, seed):
    logits, labels = drawn(batch, classes, scale, seed)
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    p = p[np.arange(batch), labels.numpy()]
    np.testing.assert_allclose(margin(logits, labels).numpy(), np.log(p) - np.log1p(-p), rtol=1e-9, atol=1e-9)


def test_margin_of_two_classes_is_the_difference():
    logits, labels = drawn(8, 2, 3.0)
    rows = torch.arange(8)
    torch.testing.assert_close(margin(logits, labels), logits[rows, labels] - logits[rows, 1 - labels])


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_margin_of_extreme_logits(kind):
    # p rounds to 0 or 1 here; log(p / (1 - p)) by that road would be infinite.
    logits = torch.tensor([[1e4, -1e4, 0], [-1e4, 1e4, 0], [900, 899, -900], [0, 0, 0]], dtype=kind, requires_grad=True)
    labels = torch.tensor([0, 0, 1, 2])
    result = margin(logits, labels)
    torch.testing.assert_close(result, torch.tensor([1e4, -2e4, -1.0, -np.log(2)], dtype=kind))
    (slope,) = torch.autograd.grad(result.sum(), logits)
    torch.testing.assert_close(slope, torch.tensor([[1, 0, -1], [1, -1, 0], [-1, 1, 0], [-0.5, -0.5, 1]], dtype=kind))


@given(classes=st.integers(2, 10), scale=st.floats(0, 5), seed=st.integers(0, 99))
def test_the_loss_slope_is_minus_the_derivative_of_the_loss(classes, scale, seed):
    logits, labels = drawn(4, classes, scale, seed)
    logits.requires_grad_()
    task = ImageClassification.__new__(ImageClassification)  # these three functions need no data
    outputs = task.output(plain, (logits, labels))
    slopes = task.loss_slope(outputs)
    # By the loss as a function of f.
    f = outputs.detach().requires_grad_()
    loss = torch.log1p(torch.exp(-f))
    torch.testing.assert_close(slopes, -torch.autograd.grad(loss.sum(), f)[0])
    # By the chain rule through the cross-entropy of C classes.
    entropy = F.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(entropy, loss)
    (by_entropy,) = torch.autograd.grad(entropy.sum(), logits)
    (by_output,) = torch.autograd.grad(outputs, logits, -slopes)
    torch.testing.assert_close(by_entropy, by_output)
    # The training loss is computed in float32 at least, whatever the model is.
    torch.testing.assert_close(task.loss(plain, (logits, labels)), entropy.mean())
    torch.testing.assert_close(task.losses(plain, (logits, labels)), entropy)
    half = logits.detach().bfloat16()
    torch.testing.assert_close(task.loss(plain, (half, labels)), F.cross_entropy(half.float(), labels))


def test_an_output_does_not_depend_on_the_rest_of_the_batch(task, model):
    model, images, labels = model.double(), *task.train_batch(np.arange(12))
    images = images.double()
    with torch.no_grad():
        together = task.output(model, (images, labels))
        alone = [task.output(model, (images[i : i + 1], labels[i : i + 1])) for i in range(12)]
    torch.testing.assert_close(together, torch.cat(alone))
    assert together.shape == (12,)
    assert len(together.unique()) == 12


def test_batches_are_the_normalised_images_and_their_labels(task, prepared):
    data = ImageData.load(prepared)
    rows = np.array([5, 0, 17, 5])
    assert (task.train_size, task.test_size) == (40, 20)
    for images, labels, pixels, expected in (
        (*task.train_batch(rows), data.train_images[rows], data.train_labels[rows]),
        (*task.target_batch(rows), data.test_images[rows], data.test_labels[rows]),
    ):
        assert images.dtype == torch.float32
        np.testing.assert_allclose(images, (pixels / 255 - data.mean) / data.std, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(labels, expected)


def test_targets_are_rows_of_the_test_split_by_their_place_in_the_table(prepared, experiment, tmp_path):
    rows = np.array([11, 3, 17, 0])
    write_table(tmp_path / "targets.parquet", pd.DataFrame({"target": range(4), "row": rows}))
    data = ImageData.load(prepared)
    task = build_task(experiment, prepared, targets=tmp_path / "targets.parquet")
    images, labels = task.target_batch(np.array([2, 0]))
    assert torch.equal(images, data.batch("test", [17, 11]))
    np.testing.assert_array_equal(labels, data.test_labels[[17, 11]])


def test_one_class_is_refused(prepared, experiment, tmp_path):
    for file in prepared.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    write_json(tmp_path / "meta.json", read_json(prepared / "meta.json") | {"classes": ["all"]})
    with pytest.raises(UserError, match="dataset: found one class only, all; allowed: two at least for a classifier"):
        build_task(experiment, tmp_path)


@pytest.mark.parametrize("batch", [1, 7, 500])
def test_accuracy_on_the_test_split(task, monkeypatch, batch):
    monkeypatch.setattr(classification, "EVALUATION_BATCH", batch)
    brightness = task.data.batch("test").mean((1, 2, 3))
    guesses = (brightness < brightness.median()).long()
    expected = (guesses.numpy() == task.data.test_labels).mean()
    assert 0 < expected < 1

    def by_brightness(images):
        over = images.mean((1, 2, 3)) - brightness.median() + 1e-4
        return torch.stack([over, -over], 1)

    assert task.evaluate(by_brightness) == {"accuracy": pytest.approx(expected)}


def test_a_split_too_large_to_move_is_read_by_the_batch(task, prepared, experiment, monkeypatch):
    monkeypatch.setattr(image_classification, "ON_DEVICE_BYTES", 4 * 40 * 28 * 28 - 1)
    large = build_task(experiment, prepared)
    assert large.images["train"] is None
    assert large.images["test"] is not None
    monkeypatch.setattr(image_classification, "ON_DEVICE_BYTES", 0)
    largest = build_task(experiment, prepared)
    assert largest.images == {"train": None, "test": None}
    rows = np.array([5, 0, 17])
    for batch in ("train_batch", "target_batch"):
        expected = getattr(task, batch)(rows)
        for other in (large, largest):
            for one, same in zip(getattr(other, batch)(rows), expected, strict=True):
                assert torch.equal(one, same)


@pytest.mark.parametrize("name", ["none", "flip", "crop_flip"])
def test_augmentation_as_the_settings_say(prepared, experiment, name):
    experiment["training"]["augmentation"] = name
    task = build_task(experiment, prepared)
    batch = task.train_batch(np.arange(20))
    (images, labels), (again, _) = (task.training_batch(np.arange(20), np.random.default_rng(7)) for _ in range(2))
    assert torch.equal(images, again)
    assert torch.equal(labels, batch[1])
    same = (images == batch[0]).all(dim=(1, 2, 3))
    flipped = (images == batch[0].flip(3)).all(dim=(1, 2, 3))
    if name == "none":
        assert same.all()
    elif name == "flip":
        assert (same | flipped).all()
        assert same.any()
        assert flipped.any()
    else:
        assert not (same | flipped).all()


def test_settings_without_training_augment_nothing(prepared, experiment):
    del experiment["training"]
    task = build_task(experiment, prepared)
    batch = task.training_batch(np.arange(4), np.random.default_rng(0))
    assert torch.equal(batch[0], task.train_batch(np.arange(4))[0])


def test_the_representation_is_what_the_last_layer_sees(task, model):
    batch = task.train_batch(np.arange(6))
    with torch.no_grad():
        seen = task.representation(model, batch)
        assert seen.shape == (6, 8)
        torch.testing.assert_close(model.fc(seen), model(batch[0]))
    assert not model.fc._forward_pre_hooks


def test_the_model_fits_channels_and_classes(task):
    model = task.new_model(0)
    assert model.stem.in_channels == 1
    assert model.fc.out_features == 2
    assert model.stem.weight.is_contiguous(memory_format=torch.channels_last)
