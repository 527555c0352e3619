import pytest
import torch
from torch import nn

from trakway.training.optimizer import build_optimizer

SETTINGS = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.8, "weight_decay": 0.02, "epsilon_root": 0.0}


def trajectory(**changes):
    """Weights after each of five steps down random gradients, and those gradients; float64."""
    weight = nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64))
    optimizer = build_optimizer([weight], SETTINGS | changes)
    found, gradients = [], torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
        found.append(weight.detach().clone())
    return torch.stack(found), gradients


@pytest.mark.parametrize("momentum", [0.8, 0.0])
def test_sgd_with_nesterov_momentum(momentum):
    found, gradients = trajectory(momentum=momentum)
    weight, velocity = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), 0
    for gradient, after in zip(gradients, found, strict=True):
        gradient = gradient + 0.02 * weight
        velocity = momentum * velocity + gradient
        weight = weight - 0.1 * (gradient + momentum * velocity)
        torch.testing.assert_close(after, weight)


@pytest.mark.parametrize("epsilon_root", [0.0, 1e-8, 0.1])
def test_adamw(epsilon_root):
    found, gradients = trajectory(optimizer="adamw", epsilon_root=epsilon_root)
    weight, first, second = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), 0, 0
    for t, (gradient, after) in enumerate(zip(gradients, found, strict=True), 1):
        first = 0.8 * first + 0.2 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        step = (first / (1 - 0.8**t)) / ((second / (1 - 0.999**t) + epsilon_root).sqrt() + 1e-8)
        weight = weight - 0.1 * (step + 0.02 * weight)  # Loshchilov & Hutter, algorithm 2: decay apart from the step
        torch.testing.assert_close(after, weight)
