"""Every modality against central differences, in float64: its own networks, batches and noise."""

import numpy as np
import pytest
import torch

from trakway.metagradients.exact import metagradients
from trakway.metagradients.recording import Recording, steps_of
from trakway.metagradients.scores import output_slopes
from trakway.training.run import Run

STEPS = 5
SGD = {"optimizer": "sgd", "learning_rate": 0.05, "weight_decay": 1e-3}
ADAMW = {"optimizer": "adamw", "learning_rate": 5e-3, "weight_decay": 1e-2, "epsilon_root": 1e-6, "ema": 0.8}


def doubled(task, monkeypatch):
    """Let a task compute in float64."""

    def widened(batch):
        return tuple(tensor.double() if tensor.is_floating_point() else tensor for tensor in batch)

    for name in ("training_batch", "target_batch"):
        plain = getattr(task, name)
        monkeypatch.setattr(task, name, lambda *given, plain=plain: widened(plain(*given)))
    if hasattr(task, "_states"):  # of captions
        task.__dict__["_states"] = task._states.double()
    new_model = task.new_model
    monkeypatch.setattr(task, "new_model", lambda seed: new_model(seed).double())
    return task


@pytest.fixture(params=["images", "denoising", "texts", "latents"])
def task(request, monkeypatch):
    return doubled(request.getfixturevalue(request.param), monkeypatch)


@pytest.mark.parametrize("recipe", [SGD, ADAMW], ids=["sgd", "adamw"])
def test_central_differences(task, recipe):
    training = {
        "epochs": None, "steps": STEPS, "batch_size": 3, "momentum": 0.9, "warmup": 0.2, "precision": "float32",
        "checkpoints": 1, "ema": None, "epsilon_root": 0.0, "augmentation": "none", **recipe,
    }  # fmt: skip
    rows, entries = np.arange(5), np.arange(2)
    size = 1e-4 if recipe is SGD else 1e-6  # AdamW bends more

    def begin(weights):
        return Run(task, rows, training, 3, weights)

    def final(run):
        return (run.state.model if run.state.averaged is None else run.state.averaged.module).eval()

    def outputs(weights):
        run = begin(weights)
        for part in steps_of(run):
            run.take(*part)
        with torch.no_grad():
            return task.output(final(run), task.target_batch(entries)).numpy()

    ones = np.ones(task.train_size)
    recording = Recording(begin(ones), 1000)
    found = metagradients(recording, output_slopes(task, final(recording.run), entries), 4).numpy()[:, 0, rows]
    expected = np.empty_like(found)
    for i in rows:
        ends = []
        for sign in (1, -1):
            weights = ones.copy()
            weights[i] += sign * size
            ends.append(outputs(weights))
        expected[:, i] = (ends[0] - ends[1]) / (2 * size)
    assert np.linalg.norm(expected) > 1e-6
    assert np.linalg.norm(found - expected) < 1e-6 * np.linalg.norm(expected)
