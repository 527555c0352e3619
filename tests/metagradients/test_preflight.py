import numpy as np
import torch

from trakway.metagradients.point import Point
from trakway.metagradients.preflight import preflight, smoothness
from trakway.metagradients.scores import Differentiated


def test_a_run_that_can_be_differentiated(points, training):
    seen = []
    found = preflight(Differentiated(points, Point(training), 0), points.test_size, lambda: seen.append(1))
    assert len(seen) == 5
    assert found["correlation"] > 0.999
    assert found["relative_error"] < 0.05
    assert found["metasmoothness"] > 0.5
    assert len(found["adjoint_norms"]) == training["steps"]
    assert np.isfinite(found["adjoint_norms"]).all()


def test_at_other_weights(points, training):
    weights = np.random.default_rng(0).uniform(0.5, 1.5, points.train_size)
    assert preflight(Differentiated(points, Point(training, weights), 0), points.test_size)["correlation"] > 0.999


def test_smoothness_by_hand():
    start = torch.zeros(3)
    assert smoothness(start, torch.tensor([1.0, -2, 1]), torch.tensor([2.0, -3, 5])) == 1
    assert smoothness(start, torch.tensor([1.0, -2, 1]), torch.tensor([0.0, -3, 5])) == (2 + 1 - 1) / 4
    assert smoothness(start, start, torch.ones(3)) == 0
