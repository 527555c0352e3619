"""Scores of a trained diffusion model, end to end: who made an image, and which way it pushed."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from trakway.attribution.material import Material
from trakway.attribution.scoring import score_function
from trakway.attribution.values import Features
from trakway.features.extraction import Extractor
from trakway.features.members import Member
from trakway.training import load_checkpoint
from trakway.training.loop import train_model

COPIES = np.array([2, 5, 11, 12, 17, 23])  # rows of the training split that hold one and the same image
TRAINING = {"steps": 100, "epochs": None, "batch_size": 12, "optimizer": "adamw", "learning_rate": 0.01, "ema": None}
TRAINING |= {
    "momentum": 0.9,
    "weight_decay": 0.0,
    "epsilon_root": 0.0,
    "warmup": 0.1,
    "precision": "float32",
    "removal": "resample",
    "checkpoints": 1,
    "stored": "float32",
}


def double(batch):
    return tuple(tensor.double() if tensor.is_floating_point() else tensor for tensor in batch)


class Trained:
    """A small UNet trained on 24 digits, six of which are one image, which is also the target."""

    def __init__(self, diffusion_task, folder):
        self.build, self.folder = diffusion_task, folder
        train_model(self.task(), np.arange(24), TRAINING, 0, folder / "model", "mark")
        self.model = load_checkpoint(self.task(), folder / "model")

    def task(self, function="output"):
        task = self.build(function, journey={"train_draws": 60, "target_draws": 60, "window_draws": 30})
        images = np.array(task.data.train_images)
        images[COPIES] = images[COPIES[0]]
        task.data = dataclasses.replace(task.data, train_images=images)
        # The whole image, and its estimates at both timesteps, which here are the image itself.
        table = {"target": 0, "timestep": [None, 2, 5], "patch": ""}
        task.targets = pd.DataFrame(table).astype({"timestep": "Int64"})
        task.seen = np.stack([images[COPIES[0]] / 127.5 - 1] * 3).astype(np.float32)
        return task

    def features(self, function="output", projection=None):
        folder = self.folder / function.replace("-", "_") / ("all" if projection else "projected")
        projection = projection or {"kind": "sjlt", "dim": 512, "nonzeros": 1}
        task, member = self.task(function), Member(0, "model", lambda: self.model)
        extractor = Extractor(task, [member], projection, 24)
        extractor.write_train(folder)
        extractor.write_targets(folder, np.arange(3))
        return [Features(*(np.load(folder / f"{name}.npy")[0] for name in ("train", "targets", "weights")))]

    def material(self, **features):
        return Material(0, 24, 3, timesteps=np.array([-1, 2, 5]), final=np.zeros(3, int), **features)


@pytest.fixture(scope="module")
def trained(diffusion_task, tmp_path_factory):
    return Trained(diffusion_task, tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def material(trained):
    windows = {step: [dataclasses.replace(*trained.features(f"window-{step}"), targets=None)] for step in (2, 5)}
    return trained.material(features=trained.features(), norm=trained.features("norm"), windows=windows)


@pytest.mark.parametrize("name", ["trak", "journey_trak", "journey_window", "d_trak", "journey_d_trak"])
def test_an_image_is_attributed_to_its_copies(material, chosen, name):
    out = np.full((3, 24), np.nan, np.float32)
    score_function(chosen(name))(material.only(chosen(name).method.reads), out, ridge=10.0)
    for scores in out:
        copies, others = scores[COPIES], np.delete(scores, COPIES)
        assert scores.argmax() in COPIES
        assert copies.mean() > 0
        assert (copies[:, None] > others).mean() > 0.75  # noise of its own lets a copy fall behind


def test_a_step_on_a_training_example_moves_the_target_as_scored(trained, chosen):
    """What a positive score claims, and by how much: one small step of gradient descent on the example's loss."""
    task, model = trained.task(), copy.deepcopy(trained.model).double()
    everything = trained.features(projection={"kind": "identity", "dim": None})
    found = np.empty((3, 24), np.float32)
    score_function(chosen("gradient_dot"))(trained.material(features=everything), found)
    targets, examples = double(task.target_batch(np.arange(3))), double(task.train_batch(np.arange(24)))
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    rate = 1e-6
    with torch.no_grad():
        before = task.output(model, targets)
    for i in (0, COPIES[0], 20):
        loss = task.loss(model, [tensor[[i]] for tensor in examples])
        slopes = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(model.parameters(), slopes, strict=True):
                parameter -= rate * slope
            moved = ((task.output(model, targets) - before) / rate).numpy()
        model.load_state_dict(weights)
        assert np.abs(moved - found[:, i]).max() <= 1e-3 * np.abs(found).max()
