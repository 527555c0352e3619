"""Gradients of diffusion models: of f, a mean over draws of (timestep, noise), for the UNets of diffusers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trakway.gradients import layers, per_example, per_example_gradients
from trakway.gradients.per_example import layerwise, vmapped

ATTENTION = {"no attention": [], "attention": [8, 4]}


def double(batch):
    return tuple(tensor.double() if tensor.is_floating_point() else tensor for tensor in batch)


def small_unet(task, seed=1):
    """A UNet all of whose parameters are away from the zeros and ones they begin with."""
    model = task.new_model(seed).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model


def gradients_of_single_losses(model, batch):
    """Loop over examples and their draws: one backward pass through one (t, noise) at a time, averaged at the end."""
    rows = []
    for example in zip(*batch, strict=True):
        *draws, weights = example
        total = 0
        for noised, timestep, noise in zip(*draws, strict=True):
            predicted = model(noised[None], timestep[None]).sample[0]
            loss = ((noise - predicted) ** 2 * weights).sum()
            total += torch.cat([g.flatten() for g in torch.autograd.grad(-loss, list(model.parameters()))])
        rows.append(total / len(draws[0]))
    return torch.stack(rows)


def check(found, expected, tolerance):
    """Every row as long as expected, to a share of the row's norm."""
    assert found.shape == expected.shape
    assert ((found.double() - expected).norm(dim=1) <= tolerance * expected.norm(dim=1)).all()


@pytest.fixture(scope="module", params=ATTENTION)
def task(request, diffusion_task):
    # Six rows of a training example and three of a target: a convolution's gradients are made in different ways.
    draws = {"train_draws": 6, "target_draws": 3}
    return diffusion_task(model={"attention": ATTENTION[request.param]}, journey=draws)


@pytest.fixture(scope="module")
def model(task):
    return small_unet(task).double()


@pytest.fixture
def no_vmap(monkeypatch):
    """The slow way is closed."""

    def closed(*arguments):
        raise AssertionError("not the fast way")

    monkeypatch.setattr(per_example, "vmapped", closed)


@pytest.mark.parametrize("entries", ["train_batch", "target_batch"])
def test_are_the_mean_of_the_gradients_of_single_losses(task, model, no_vmap, entries):
    batch = double(getattr(task, entries)(np.array([3, 1])))  # entry 3 is a patch
    expected = gradients_of_single_losses(model, batch)
    assert expected.norm(dim=1).min() > 0.1
    for function in (layerwise, vmapped, per_example_gradients):
        outputs, rows = function(task, model, batch)
        check(rows, expected, 1e-6)
        torch.testing.assert_close(outputs, task.output(model, batch).detach().float())
    # float32, what a run computes in, has kernels of its own.
    _, rows = per_example_gradients(task, small_unet(task), getattr(task, entries)(np.array([3, 1])))
    check(rows, expected, 1e-4)


def test_of_the_norm(diffusion_task, by_autograd, no_vmap):
    task = diffusion_task("norm", model={"attention": [4]})
    model = small_unet(task).double()
    for batch in (double(task.train_batch(np.array([5]))), double(task.target_batch(np.array([3])))):
        _, rows = per_example_gradients(task, model, batch)
        check(rows, by_autograd(task, model, batch), 1e-6)


def test_the_fast_way_serves_unets(task):
    model = small_unet(task)
    assert layers.supported(model, task.attributed(model))
    assert per_example._sees_all(task, model, task.train_batch(np.arange(3)))  # in float32 too
    assert len(task.attributed(model)) == len(list(model.parameters()))


@pytest.fixture(scope="module")
def whole(task, model):
    batch = double(task.train_batch(np.arange(3)))
    return batch, gradients_of_single_losses(model, batch)


@pytest.mark.parametrize("rows", [1, 3, 7, 256])
def test_pieces_change_nothing(task, model, whole, no_vmap, monkeypatch, rows):
    batch, expected = whole
    monkeypatch.setitem(per_example.ROWS, "cpu", rows)
    seen = []
    monkeypatch.setattr(per_example, "layerwise", lambda *arguments: seen.append(arguments[2]) or layerwise(*arguments))
    outputs, found = per_example_gradients(task, model, batch)
    assert outputs.dtype == found.dtype == torch.float32
    check(found, expected, 1e-6)
    torch.testing.assert_close(outputs, task.output(model, batch).detach().float())
    assert {piece[1].numel() for piece in seen} <= set(range(1, rows + 1))
    assert sum(piece[1].numel() for piece in seen) in (18, 18 + seen[0][1].numel())  # 3 examples, 6 draws; a trial


@given(parts=st.lists(st.integers(1, 3), min_size=1, max_size=3), rows=st.integers(1, 20))
@settings(max_examples=5)
def test_an_example_does_not_depend_on_the_others(task, model, whole, parts, rows):
    batch, expected = whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(per_example.ROWS, "cpu", rows)
        start = 0
        for part in parts:
            examples = [(start + i) % 3 for i in range(part)]
            check(per_example_gradients(task, model, [t[examples] for t in batch])[1], expected[examples], 1e-6)
            start += part


def test_no_more_than_so_many_rows_go_through_a_model(diffusion_task, monkeypatch):
    task = diffusion_task(journey={"train_draws": 40})
    monkeypatch.setitem(per_example.ROWS, "cpu", 8)
    most = []
    model = small_unet(task)
    model.register_forward_pre_hook(lambda module, inputs: most.append(len(inputs[0])))
    per_example_gradients(task, model, task.train_batch(np.arange(2)))
    assert max(most) == 8
    assert len(most) == 2 * 40 // 8 + 2  # and the trial's two
