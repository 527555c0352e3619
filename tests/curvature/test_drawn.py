"""Draws of labels: their gradients have the Gauss-Newton matrix as second moment."""

import numpy as np
import pytest
import torch
from torch import nn

from trakway import seeds
from trakway.curvature.drawn import Drawn
from trakway.errors import UserError
from trakway.tasks import Task


@pytest.mark.parametrize("chunk", [1, 7, 50, 1000])
def test_the_block_changes_no_draw(pictures, network, drawn, chunk):
    whole = [torch.cat(tensors) for tensors in zip(*drawn.batches(), strict=True)]
    again = [torch.cat(t) for t in zip(*Drawn(pictures, network, 400, chunk).batches(), strict=True)]
    assert all(torch.equal(a, b) for a, b in zip(whole, again, strict=True))


def test_the_moment_of_soft_labels_is_that_of_labels_as_likely_as_the_model_says(pictures, network):
    """Of the slopes in the logits: diag(p) - ppᵀ, of mean 0; soft labels sum to 1."""
    count = 20000
    one = tuple(tensor.repeat(count, *[1] * (tensor.ndim - 1)) for tensor in pictures.train_batch(np.array([0])))
    *_, labels = pictures.drawn(network, one, seeds.generator(0, "test"))
    torch.testing.assert_close(labels.sum(1), torch.ones(count))
    likely = pictures.probabilities(network, pictures.train_batch(np.array([0])))[0]
    slopes = likely - labels
    assert slopes.mean(0).abs().max() < 0.02  # four standard errors
    moment = slopes.T @ slopes / count
    assert (moment - (likely.diag() - likely[:, None] * likely)).abs().max() < 0.01


def test_the_moment_of_a_squared_error_is_its_gauss_newton_matrix(diffusion_task):
    """Of one parameter that shifts all that is predicted: the matrix is 2 Σ w (∂prediction)², and Σ w is 1."""

    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.shift = nn.Parameter(torch.zeros(()))

        def forward(self, noised, timesteps, return_dict=False):
            return (noised * 0.3 + self.shift,)

    task, model = diffusion_task(), Shifted()
    rows = np.zeros(3000, int)
    batch = task.training_batch(rows, seeds.generator(0, "test"))
    batch = task.drawn(model, batch, seeds.generator(1, "test"))
    losses = task.losses(model, batch)
    slopes = torch.stack([torch.autograd.grad(loss, model.shift, retain_graph=True)[0] for loss in losses])
    assert float(slopes.mean()) == pytest.approx(0, abs=4 * (2 / 3000) ** 0.5)
    assert float(slopes.square().mean()) == pytest.approx(2, abs=4 * (8 / 3000) ** 0.5)


def test_a_task_that_draws_nothing_says_so(network):
    with pytest.raises(UserError, match=r"found no drawn\(model, batch, rng\)"):
        Task.drawn(object(), network, (), np.random.default_rng(0))
