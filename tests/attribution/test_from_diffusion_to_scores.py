"""Diffusion models, their features and scores, against a brute force in float64 that has little code in common.

Shared are the keys of the random numbers alone: which noise belongs to which example is part of the definition.
"""

import numpy as np
import pandas as pd
import pytest
import torch

from trakway import seeds
from trakway.attribution.loading import load_material
from trakway.attribution.scoring import score_function
from trakway.data import ImageData, prepare
from trakway.features.extraction import Extractor
from trakway.features.members import Member
from trakway.generation.journeys import draw_journeys
from trakway.plan import is_window, modalities
from trakway.projection import VERSION
from trakway.storage.files import read_array, read_table, write_json
from trakway.subsets import random_subsets
from trakway.tasks import build_task
from trakway.training import Ensemble, load_model, train_shard

T, STEPS, RIDGE = 20, [12, 4], 0.1
SETTINGS = {
    "task": "image_diffusion",
    "seed": 6,
    "model": {"name": "unet", "widths": [4, 4], "layers": 1, "attention": [], "norm_groups": 2},
    "diffusion": {"timesteps": T, "schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}
    | {"prediction": "epsilon", "sampling_steps": 10},
    "journey": {
        "timesteps": STEPS,
        "target_draws": 3,
        "train_draws": 4,
        "window": 6,
        "window_draws": 2,
        "patches": [{"name": "corner", "timestep": 4, "box": [0, 2, 3, 4]}],
    },
}
TRAINING = {"epochs": None, "steps": 6, "batch_size": 4, "learning_rate": 2e-3, "momentum": 0.9, "weight_decay": 0}
TRAINING |= {"warmup": 0.1, "augmentation": "none", "precision": "float32", "checkpoints": 1, "stored": "float32"}
TRAINING |= {"optimizer": "adamw", "ema": 0.5, "paired": False, "epsilon_root": 0, "removal": "resample"}
FUNCTIONS = ["output", "norm", "window-12", "window-4"]


class Trained:
    """Two members, each trained on half of ten digits; the first has drawn the targets."""

    def __init__(self, folder):
        self.data, self.folder = folder / "data", folder
        prepare({"name": "digits", "train_size": 10, "test_size": 5}, 6, self.data)
        task = build_task(SETTINGS, self.data)
        members = Ensemble("members", random_subsets(6, "members", 10, 2, 0.5), 1)
        self.models, *_ = train_shard(task, members, range(2), TRAINING, "any", folder / "models")
        self.task = task
        draw_journeys(
            task, self.load(0), {"count": 2, "tuning": 1, "real": 1, "exchanged": 0, "captions": []}, folder / "targets"
        )
        self.targets = folder / "targets/targets.parquet"
        self.table = read_table(self.targets)

    def load(self, member):
        return load_model(self.task, self.folder / "models", self.models[member])

    def features(self, function):
        folder = self.folder / "features" / function
        task = build_task(SETTINGS, self.data, targets=self.targets, function=function)
        members = [Member(m, str(m), lambda m=m: self.load(m)) for m in range(2)]
        projection = {"kind": "identity", "dim": None, "nonzeros": 1}
        extractor = Extractor(task, members, projection, 3)
        parameters, _ = extractor.write_train(folder)
        info = {"projection": projection, "definition": VERSION, "parameters": parameters, "function": function}
        info |= {"checkpoint": 0, "members": [0, 1]}
        write_json(folder / "train.json", info | {"learning_rates": [1.0, 1.0]})
        if not is_window(function):
            extractor.write_targets(folder, np.arange(len(self.table)))
            write_json(folder / "targets.json", info)
        return folder / "train.json"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return Trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def material(trained):
    output, norm, *windows = (trained.features(function) for function in FUNCTIONS)
    return load_material(
        {"features": [output], "norm": [norm], "windows": windows},
        seed=6,
        modality=modalities()["image_diffusion"],
        data=trained.data,
        targets=trained.targets,
    )[0]


def spread(count, low=0, high=T):
    return [int(low + (i + 0.5) * (high - low) / count) for i in range(count)]


def shown(image, step, noise, box=(0, 0, 8, 8)):
    """Return what a model sees of an image at a step, and where it is compared, float64."""
    kept = np.cumprod(1 - np.linspace(1e-4, 0.02, T))[step]
    top, left, height, width = box
    inside = (slice(None), slice(top, top + height), slice(left, left + width))
    return torch.from_numpy(np.sqrt(kept) * image + np.sqrt(1 - kept) * noise), step, torch.from_numpy(noise), inside


def noise_of(*key, draws):
    return seeds.generator(6, *key).standard_normal((draws, 1, 8, 8), np.float32).astype(float)


def train_draws(trained, row, function):
    """Return all that a training example's function is a mean over."""
    image = ImageData.load(trained.data).train_images[row] / 127.5 - 1
    if not is_window(function):
        return [shown(image, *one) for one in zip(spread(4), noise_of("train noise", row, draws=4), strict=True)]
    center = int(function.split("-")[1])
    noise = noise_of("window noise", center, row, draws=2)
    return [shown(image, *one) for one in zip(spread(2, center - 3, center + 3), noise, strict=True)]


def target_draws(trained, entry):
    """Return all that a target's function is a mean over; of a step with the estimate that the sampler had there."""
    image, step, patch = (trained.table[name][entry] for name in ("target", "timestep", "patch"))
    folder = trained.targets.parent
    if pd.isna(step):  # the whole schedule
        picture, steps, key = read_array(folder / "images.npy")[image], spread(3), T
    else:
        picture, steps, key = read_array(folder / "estimates.npy")[image, STEPS.index(step)], [int(step)] * 3, int(step)
    noise = noise_of("target noise", int(image), key, draws=3)
    box = (0, 2, 3, 4) if patch else (0, 0, 8, 8)
    return [shown(picture.astype(float), *one, box) for one in zip(steps, noise, strict=True)]


def value(model, draws, function="output"):
    """Return minus the loss, or the squared norm of the prediction."""
    parts = []
    for x, step, noise, inside in draws:
        predicted = model(x[None], step).sample[0]
        parts.append(
            predicted[inside].square().mean() if function == "norm" else -((predicted - noise)[inside].square().mean())
        )
    return sum(parts) / len(parts)


def gradient(model, draws, function):
    slopes = torch.autograd.grad(value(model, draws, function), list(model.parameters()))
    return torch.cat([slope.flatten() for slope in slopes]).numpy()


@pytest.fixture(scope="module")
def raw(trained):
    """Gradients of every function: (training examples (members, n, p), targets (members, entries, p)), float64."""
    models = [trained.load(member).double() for member in range(2)]
    found = {}
    for function in FUNCTIONS:
        own = "output" if is_window(function) else function
        train = [[gradient(model, train_draws(trained, row, function), own) for row in range(10)] for model in models]
        entries = range(len(trained.table))
        targets = [[gradient(model, target_draws(trained, entry), own) for entry in entries] for model in models]
        found[function] = np.array(train), np.array(targets)
    return found


def estimator(train, targets):
    """TRAK of each target, all weights 1, through the n×n kernel."""
    parts = []
    for phi, z in zip(train, targets, strict=True):
        kernel = phi @ phi.T
        parts.append(z @ phi.T @ np.linalg.inv(kernel + RIDGE * np.trace(kernel) / phi.shape[1] * np.eye(len(phi))))
    return np.mean(parts, axis=0)


def by_hand(name, raw, table):
    whole = table["timestep"].isna() & (table["patch"] == "")
    final = [np.flatnonzero(whole & (table["target"] == image))[0] for image in table["target"]]
    (output, outputs), (norm, norms) = raw["output"], raw["norm"]
    if name == "journey_window":
        scores = estimator(output, outputs)
        for step in STEPS:
            here = (table["timestep"] == step).fillna(False).to_numpy(bool)
            scores[here] = estimator(raw[f"window-{step}"][0], outputs[:, here])
        return scores
    return {
        "trak": lambda: estimator(output, outputs[:, final]),
        "journey_trak": lambda: estimator(output, outputs),
        "d_trak": lambda: estimator(norm, norms[:, final]),
        "journey_d_trak": lambda: estimator(norm, norms),
        "gradient_dot": lambda: np.mean(outputs @ output.transpose(0, 2, 1), axis=0),
    }[name]()


@pytest.mark.parametrize("name", ["trak", "journey_trak", "journey_window", "d_trak", "journey_d_trak", "gradient_dot"])
def test_scores(trained, material, raw, scores_of, chosen, name):
    options = {} if name == "gradient_dot" else {"ridge": RIDGE}
    found, expected = scores_of(score_function(chosen(name)), material, **options), by_hand(name, raw, trained.table)
    error = np.abs(found - expected).max(1) / np.abs(expected).max(1)
    assert (error <= 2e-3).all(), error


def test_a_step_on_a_training_example_moves_the_target_as_scored(trained, material, scores_of, chosen):
    """What a positive score claims, and by how much: one small step of gradient descent on the example's loss."""
    found = scores_of(score_function(chosen("gradient_dot")), material.of_members(1))
    entries, rate = range(len(trained.table)), 1e-6
    for row in (0, 7):
        model = trained.load(0).double()
        with torch.no_grad():
            before = [value(model, target_draws(trained, entry)).item() for entry in entries]
        slopes = torch.autograd.grad(-value(model, train_draws(trained, row, "output")), list(model.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(model.parameters(), slopes, strict=True):
                parameter -= rate * slope
            after = [value(model, target_draws(trained, entry)).item() for entry in entries]
        moved = (np.array(after) - before) / rate
        assert np.abs(moved - found[:, row]).max() <= 2e-3 * np.abs(found).max()
        assert (moved > 0).any()
