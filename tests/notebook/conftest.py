import numpy as np
import pytest
import torch
from torch import nn

import trakway as tw


@pytest.fixture
def build():
    """Build a small CNN of pictures of 6x6 and three classes."""
    return lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))


@pytest.fixture
def data():
    """(x, y) of 24 training examples and of 6 targets."""
    rng = np.random.default_rng(0)

    def examples(n):
        return torch.tensor(rng.standard_normal((n, 1, 6, 6)), dtype=torch.float32), torch.arange(n) % 3

    return examples(24), examples(6)


@pytest.fixture
def task(build, data):
    return tw.task(build, train=data[0], targets=data[1], device="cpu")


@pytest.fixture
def members(task):
    return tw.load(task, [task.new_model(seed).state_dict() for seed in range(2)])
