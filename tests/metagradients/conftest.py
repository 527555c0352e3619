import numpy as np
import pytest
import torch
from torch import nn

from trakway.tasks import Task
from trakway.training.run import Run

SIZE, TARGETS = 14, 3
TRAINING = {
    "optimizer": "sgd",
    "epochs": None,
    "steps": 11,
    "batch_size": 4,
    "learning_rate": 0.3,
    "momentum": 0.8,
    "weight_decay": 0.01,
    "warmup": 0.2,
    "precision": "float32",
    "checkpoints": 1,
    "ema": None,
    "epsilon_root": 0.0,
}
RECIPES = {
    "sgd": {},
    "sgd without momentum": {"momentum": 0.0},
    "sgd with an average": {"ema": 0.7},
    "adamw": {"optimizer": "adamw", "learning_rate": 0.05},
    "adamw, smooth, with an average": {"optimizer": "adamw", "learning_rate": 0.05, "epsilon_root": 1e-3, "ema": 0.7},
}


class Points(Task):
    """Points of two classes and a small network, in float64; noise of a step's own on the points."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.seed, self.device, self.train_size, self.test_size = 0, "cpu", SIZE, TARGETS
        self.points = torch.from_numpy(rng.standard_normal((SIZE + TARGETS, 3)))
        self.labels = torch.from_numpy(rng.integers(0, 2, SIZE + TARGETS))

    def architecture(self):
        return nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.LayerNorm(5), nn.Linear(5, 2)).double()

    def train_batch(self, rows):
        return self.points[rows], self.labels[rows]

    def target_batch(self, entries):
        return self.points[SIZE + entries], self.labels[SIZE + entries]

    def training_batch(self, rows, rng):
        points, labels = self.train_batch(rows)
        return points + 0.1 * torch.from_numpy(rng.standard_normal(points.shape)), labels

    def losses(self, model, batch):
        return nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="none")

    def output(self, model, batch):
        return -self.losses(model, batch)

    def loss_slope(self, outputs):
        return torch.ones_like(outputs)


@pytest.fixture(scope="session")
def points():
    return Points()


@pytest.fixture(params=RECIPES)
def training(request):
    return TRAINING | RECIPES[request.param]


@pytest.fixture
def begin(points):
    """Begin a run of the points."""

    def begun(training, weights=None, task=points, seed=3):
        return Run(task, np.arange(task.train_size), training, seed, weights)

    return begun
