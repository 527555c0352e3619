"""A trained ensemble, its features and scores, against a brute force in float64 that has no code in common."""

import functools
import math

import numpy as np
import pandas as pd
import pytest
import torch

from trakway import seeds
from trakway.attribution.loading import load_material
from trakway.attribution.methods import gradient_cosine, gradient_dot, tracin, trak
from trakway.data import ImageData
from trakway.features.extraction import Extractor
from trakway.features.members import Member
from trakway.plan import modalities
from trakway.projection import VERSION
from trakway.storage.files import write_json, write_table
from trakway.subsets import random_subsets
from trakway.tasks import build_task
from trakway.training import Ensemble, load_model, train_shard

TARGETS = np.array([11, 3, 17, 0, 8])  # rows of the test split; the last two are for tuning
TRAINING = {"epochs": 4, "batch_size": 10, "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 5e-4, "warmup": 0.25}
TRAINING |= {"augmentation": "flip", "precision": "float32", "checkpoints": 2, "stored": "float32"}
TRAINING |= {"optimizer": "sgd", "steps": None, "ema": None, "paired": False}
TRAINING |= {"epsilon_root": 0, "removal": "resample"}
SETTINGS = {"task": "image_classification", "seed": 6, "model": {"name": "resnet_small", "widths": [4, 8]}}


class Trained:
    """Three members of a small ResNet, each trained on half of 40 real images."""

    def __init__(self, data, folder):
        self.data, self.folder = data, folder
        self.task = build_task(SETTINGS | {"training": TRAINING}, data)
        members = Ensemble("members", random_subsets(6, "members", 40, 3, 0.5), 1)
        self.models, *_ = train_shard(self.task, members, range(3), TRAINING, "any", folder / "models")
        roles = ["evaluation"] * 3 + ["tuning"] * 2
        table = pd.DataFrame(
            {"target": range(5), "row": TARGETS, "role": roles, "label": self.task.data.test_labels[TARGETS]}
            | {"kind": "test", "timestep": None, "patch": ""}
        )
        write_table(folder / "targets.parquet", table)

    def load(self, member, checkpoint=-1):
        return load_model(self.task, self.folder / "models", self.models[member], checkpoint)

    def features(self, projection, shard, checkpoint):
        """Write the features of some members at a checkpoint; returns the description that is written last."""
        folder = self.folder / f"features-{projection['kind']}-{checkpoint}-{shard.start}"
        members = [Member(m, f"{m}.safetensors", lambda m=m: self.load(m, checkpoint)) for m in shard]
        extractor = Extractor(self.task, members, projection, 7)
        parameters, _ = extractor.write_train(folder)
        extractor.write_targets(folder, TARGETS)
        info = {"projection": projection, "definition": VERSION, "parameters": parameters, "checkpoint": checkpoint}
        info |= {"function": "output", "members": list(shard)}
        rates = [self.models[m]["learning_rates"][checkpoint] for m in shard]
        write_json(folder / "train.json", info | {"learning_rates": rates})
        write_json(folder / "targets.json", info)
        return folder / "targets.json"

    def material(self, projection, block=9):
        """Everything from files, in shards of two members and one."""
        by_checkpoint = [[self.features(projection, shard, c) for shard in (range(2), range(2, 3))] for c in range(2)]
        return load_material(
            {"features": by_checkpoint[-1], "checkpoints": sum(by_checkpoint, [])},
            seed=SETTINGS["seed"],
            modality=modalities()["image_classification"],
            data=self.data,
            targets=self.folder / "targets.parquet",
            block=block,
        )[0]


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory):
    return Trained(prepared, tmp_path_factory.mktemp("trained"))


def examples(data):
    """Training examples and targets as (image, label), float64, normalised here."""
    read = ImageData.load(data)
    splits = (read.train_images, read.train_labels), (read.test_images[TARGETS], read.test_labels[TARGETS])
    return [
        [
            (torch.tensor((image / 255 - read.mean[0]) / read.std[0])[None], int(y))
            for image, y in zip(*split, strict=True)
        ]
        for split in splits
    ]


def margin(model, image, label):
    p = model(image).softmax(1)[0, label]
    return torch.log(p) - torch.log1p(-p), 1 - p.item()


def gradients_of(model, pairs):
    """One ordinary backward pass an example; returns (rows, p) and 1 - p of the right class."""
    rows, weights = [], []
    for image, label in pairs:
        f, weight = margin(model, image, label)
        rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(f, list(model.parameters()))]).numpy())
        weights.append(weight)
    return np.array(rows), np.array(weights)


@functools.cache
def philox(counter, key):
    """Philox4x32-10, from the paper, in Python's own whole numbers."""
    x, k, low = list(counter), [key & 0xFFFFFFFF, key >> 32], 0xFFFFFFFF
    for _ in range(10):
        a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(b >> 32) ^ x[1] ^ k[0], b & low, (a >> 32) ^ x[3] ^ k[1], a & low]
        k = [(k[0] + 0x9E3779B9) & low, (k[1] + 0xBB67AE85) & low]
    return x


def matrix(projection, parameters, member):
    """Return P (p, k) as the modules of trakway.projection define it."""
    kind, dim = projection["kind"], projection["dim"]
    if kind == "identity":
        return np.eye(parameters)
    key = seeds.derive(SETTINGS["seed"], f"projection:v{VERSION}:{kind}", member)
    p = np.zeros((parameters, dim))
    for i in range(parameters):
        if kind == "sjlt":
            for entry in range(projection["nonzeros"]):
                words = philox((i, 0, entry, 1), key)
                p[i, words[0] * dim >> 32] += (1 - 2 * (words[1] & 1)) / math.sqrt(projection["nonzeros"])
        else:
            for j in range(dim):
                lane = 4 * (j % 8) + i % 8 // 2
                words = philox((i // 32, 0, j // 128, lane), key)
                bit = words[i % 32 // 8] >> (j % 128 // 8 + 16 * (i % 2)) & 1
                p[i, j] = (1 - 2 * bit) / math.sqrt(dim)
    return p


@pytest.fixture(scope="module")
def raw(trained):
    """Gradients and weights of every (checkpoint, member): (train, weights, targets), float64."""
    train, targets = examples(trained.data)
    models = [[trained.load(member, checkpoint).double() for member in range(3)] for checkpoint in range(2)]
    return [[(*gradients_of(model, train), gradients_of(model, targets)[0]) for model in members] for members in models]


def brute_force(raw, projection, ridge, soft_threshold=0.0, weights=True, average="paper"):
    """TRAK of the final checkpoints, as in the paper: explicit matrices, explicit inverses."""
    qs, parts = [], []
    for member, (train, q, targets) in enumerate(raw[-1]):
        p = matrix(projection, train.shape[1], member)
        phi = train @ p
        kernel = phi.T @ phi
        kernel += ridge * np.diag(kernel).mean() * np.eye(len(kernel))
        parts.append(targets @ p @ np.linalg.solve(kernel, phi.T))
        qs.append(q if weights else np.ones_like(q))
    paper, joint = np.mean(qs, 0) * np.mean(parts, 0), np.mean([q * part for q, part in zip(qs, parts, strict=True)], 0)
    tau = paper if average == "paper" else joint
    return np.sign(tau) * np.maximum(np.abs(tau) - soft_threshold * tau.std(1, keepdims=True), 0)


PROJECTIONS = {
    "fewer than examples": {"kind": "sjlt", "dim": 16, "nonzeros": 1},
    "as many as examples": {"kind": "sjlt", "dim": 40, "nonzeros": 2},
    "more than examples": {"kind": "rademacher", "dim": 150},
    "all": {"kind": "identity", "dim": None},
}


@pytest.mark.parametrize("name", PROJECTIONS)
def test_trak(trained, raw, scores_of, name):
    projection = PROJECTIONS[name]
    material = trained.material(projection)
    kinds = [{"ridge": 0.1}, {"ridge": 1.0, "weights": False}, {"ridge": 0.01, "average": "joint"}]
    kinds += [{"ridge": 0.1, "soft_threshold": 0.5}]
    kinds += [{"ridge": 0.0}] if projection["dim"] == 16 else []
    for options in kinds:
        found, expected = scores_of(trak.score, material, **options), brute_force(raw, projection, **options)
        assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max(), options


def test_gradient_baselines(trained, raw, scores_of):
    projection = PROJECTIONS["fewer than examples"]
    material = trained.material(projection)
    rates = [[trained.models[m]["learning_rates"][c] for m in range(3)] for c in range(2)]
    assert len({rate for row in rates for rate in row}) == 2
    dot, cosine, traced = [], [], []
    for c, members in enumerate(raw):
        for m, (train, q, targets) in enumerate(members):
            p = matrix(projection, train.shape[1], m)
            phi, target = train @ p, targets @ p
            product = target @ phi.T
            traced.append(rates[c][m] * product * q)
            if c == 1:
                dot.append(product * q)
                lengths = np.linalg.norm(target, axis=1)[:, None] * np.linalg.norm(phi, axis=1)
                cosine.append(product / lengths)
    for score, expected in (
        (gradient_dot.score, np.mean(dot, axis=0)),
        (gradient_cosine.score, np.mean(cosine, axis=0)),
        (tracin.score, np.sum(traced, axis=0) / 3),
    ):
        assert np.abs(scores_of(score, material) - expected).max() <= 1e-4 * np.abs(expected).max()


def test_a_step_on_a_training_example_moves_the_target_as_scored(trained, scores_of):
    """What a positive score claims, and by how much: one small step of gradient descent on the loss."""
    train, targets = examples(trained.data)
    material = trained.material(PROJECTIONS["all"]).of_members(1)
    found = scores_of(gradient_dot.score, material)
    rate = 1e-6
    for i in (0, 13, 39):
        model = trained.load(0).double()
        image, label = train[i]
        with torch.no_grad():
            before = [margin(model, *pair)[0].item() for pair in targets]
        loss = torch.nn.functional.cross_entropy(model(image), torch.tensor([label]))
        slopes = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(model.parameters(), slopes, strict=True):
                parameter -= rate * slope
            after = [margin(model, *pair)[0].item() for pair in targets]
        moved = (np.array(after) - before) / rate
        assert np.abs(moved - found[:, i]).max() <= 1e-3 * np.abs(found).max()
        assert (np.sign(moved) == np.sign(found[:, i]))[np.abs(moved) > 0.01 * np.abs(found).max()].all()
