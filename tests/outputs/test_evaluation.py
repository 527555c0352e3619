import numpy as np
import pytest
import torch

from trakway.errors import UserError
from trakway.outputs import evaluation as outputs
from trakway.outputs.evaluation import ensemble_outputs, model_outputs


@pytest.fixture
def models(task):
    return [task.new_model(seed).eval() for seed in range(3)]


def margins(task, model):
    """log p - log(1 - p) of the right class, one example at a time, float64."""
    found = []
    with torch.no_grad():
        for row in range(task.test_size):
            images, labels = task.target_batch(np.array([row]))
            p = model(images).double().softmax(1)[0, labels[0]].item()
            found.append(np.log(p) - np.log1p(-p))
    return np.array(found)


@pytest.mark.parametrize("batch", [1, 7, 20, 500])
def test_are_the_margins_of_the_whole_test_split(task, models, monkeypatch, batch):
    monkeypatch.setattr(outputs, "EVALUATION_ROWS", batch)
    for count in (20, 13, 0):
        found = model_outputs(task, models[0], count)
        assert (found.dtype, found.shape) == (np.float64, (count,))
        np.testing.assert_allclose(found, margins(task, models[0])[:count], rtol=1e-4, atol=1e-5)


def test_are_the_outputs_of_the_task(task, models, monkeypatch):
    monkeypatch.setattr(task, "output", lambda model, batch: batch[0].sum((1, 2, 3)) + 100 * batch[1])
    images, labels = task.target_batch(np.arange(20))
    np.testing.assert_allclose(model_outputs(task, models[0], 20), images.sum((1, 2, 3)) + 100 * labels, rtol=1e-5)


@pytest.mark.parametrize("rows", [1, 2, 7, 2000])
def test_of_a_diffusion_task_do_not_depend_on_the_rows_at_a_time(diffusion_task, monkeypatch, rows):
    task = diffusion_task()
    most = []

    def model(noised, timesteps, return_dict):
        most.append(len(noised))
        return (torch.sin(3 * noised) * (1 + timesteps.view(-1, 1, 1, 1) / 10),)

    expected = task.output(model, task.target_batch(np.arange(12)))
    most.clear()
    monkeypatch.setattr(outputs, "EVALUATION_ROWS", rows)
    found = model_outputs(task, model, 10)
    assert max(most) == {1: 1, 2: 2, 7: 3, 2000: 30}[rows]  # three draws an entry, of up to four
    np.testing.assert_allclose(found, expected[:10], rtol=1e-5)


def test_one_row_a_model_in_order_and_one_model_in_memory_at_a_time(task, models, monkeypatch):
    alive = []

    def load():
        for i, model in enumerate(models):
            alive.append(i)
            yield f"{i}.safetensors", model

    rows = []
    original = outputs.model_outputs

    def seen(task, model, count):
        assert len(alive) == len(rows) + 1  # the next model is not loaded before this one is done
        rows.append(original(task, model, count))
        return rows[-1]

    with monkeypatch.context() as patch:
        patch.setattr(outputs, "model_outputs", seen)
        found, quality = ensemble_outputs(task, load(), 3, 20)
    assert (found.dtype, found.shape) == (np.float64, (3, 20))
    for row, measured, model in zip(found, quality, models, strict=True):
        np.testing.assert_array_equal(row, model_outputs(task, model, 20))
        assert measured == {"accuracy": pytest.approx(np.mean(row > 0))}
    assert len({tuple(row) for row in found}) == 3


def test_model_of_nan_is_named_with_the_first_example(task, models):
    with torch.no_grad():
        models[1].fc.bias[0] = np.nan
    pairs = [(f"0000{i}.safetensors", model) for i, model in enumerate(models)]
    with pytest.raises(UserError, match=r"checkpoint 00001\.safetensors: the model output of target 0 is not finite"):
        ensemble_outputs(task, pairs, 3, 20)


def test_the_one_example_that_is_not_finite_is_named(task, models, monkeypatch):
    output = task.output

    def spoilt(model, batch):
        found = output(model, batch)
        found[13] = np.inf
        return found

    monkeypatch.setattr(task, "output", spoilt)
    with pytest.raises(UserError, match=r"checkpoint a: the model output of target 13 is not finite; lower"):
        ensemble_outputs(task, [("a", models[0])], 1, 20)


def test_a_quality_that_is_not_finite_is_told(task, models, monkeypatch):
    monkeypatch.setattr(task, "evaluate", lambda model: {"accuracy": np.nan})
    with pytest.raises(UserError, match=r"checkpoint a: the evaluation on the test split is not finite; lower"):
        ensemble_outputs(task, [("a", models[0])], 1, 0)
