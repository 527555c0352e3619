import numpy as np
import pytest
import torch
from torch import nn

from trakway.curvature.drawn import Drawn
from trakway.tasks.classification import Classification

SIZE, TARGETS = 12, 3


class Pictures(Classification):
    """Small pictures of three classes, for a network with every kind of layer that has two sides, and others."""

    def __init__(self):
        super().__init__({"seed": 0, "model": {}}, "abc", TARGETS, "cpu", None)
        rng = np.random.default_rng(0)
        self.train_size = SIZE
        self.pictures = torch.from_numpy(rng.standard_normal((SIZE + TARGETS, 2, 5, 5), np.float32))
        self.labels = torch.from_numpy(rng.integers(0, 3, SIZE + TARGETS))

    def architecture(self):
        layers = [nn.Conv2d(2, 4, 3, 2, 1), nn.GroupNorm(2, 4), nn.SiLU(), nn.Flatten(), nn.Linear(36, 3)]
        return nn.Sequential(*layers)

    def batch(self, split, rows):
        rows = rows + SIZE * (split == "test")
        return self.pictures[rows], self.labels[rows]

    def logits(self, model, batch):
        return model(batch[0])


@pytest.fixture(scope="session")
def pictures():
    return Pictures()


@pytest.fixture(scope="session")
def network(pictures):
    return pictures.new_model(1).eval()


@pytest.fixture(scope="session")
def drawn(pictures, network):
    """More draws than there are parameters, so that the matrix has no direction without curvature."""
    return Drawn(pictures, network, 400, 60)


@pytest.fixture(scope="session")
def gradients(drawn):
    """All gradients that are drawn, float64 (count, p), by autograd, one example at a time."""
    model, rows = drawn.model, []
    for batch in drawn.batches():
        for example in zip(*batch, strict=True):
            loss = drawn.task.losses(model, tuple(tensor[None] for tensor in example))[0]
            rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(-loss, list(model.parameters()))]))
    return torch.stack(rows).double()
