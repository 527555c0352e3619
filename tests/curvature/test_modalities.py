"""Every modality: its own networks, losses and draws."""

import numpy as np
import pytest
import torch

from trakway.curvature.conjugate import product
from trakway.curvature.drawn import Drawn
from trakway.curvature.influence import Influence
from trakway.plan import INFLUENCES


@pytest.fixture(params=["images", "denoising", "texts", "latents"])
def task(request):
    return request.getfixturevalue(request.param)


def by_autograd(model, values):
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    found = [torch.autograd.grad(v, parameters, retain_graph=True, materialize_grads=True) for v in values]
    return torch.stack([torch.cat([part.flatten() for part in parts]) for parts in found]).double()


def test_the_product_is_with_gradients_at_drawn_labels(task):
    model = task.prepare(task.new_model(0).eval())
    drawn = Drawn(task, model, 6, 4)
    losses = [loss for batch in drawn.batches() for loss in task.losses(model, batch)]
    gradients = by_autograd(model, losses)
    rows = torch.randn(2, gradients.shape[1], generator=torch.Generator().manual_seed(0))
    expected = rows.double() @ gradients.T @ gradients / 6
    assert (product(drawn, rows) - expected).norm() < 1e-4 * expected.norm()


@pytest.mark.parametrize("kind", INFLUENCES)
def test_influences_point_to_what_they_are_of(task, kind):
    """An example's influence on its own output is positive, whatever the curvature: the matrix is positive definite."""
    model = task.prepare(task.new_model(0).eval())
    task.target_batch = task.train_batch
    found = Influence(task, lambda: model, {"drawn": 20, "iterations": 3}, [0.1, 10.0], kind, 3, 4)
    for scores in found.scores(slice(0, 3)):
        assert (np.diag(scores) > 0).all()
