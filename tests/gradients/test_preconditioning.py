import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import fractional_matrix_power
from torch import nn

from trakway.errors import UserError
from trakway.gradients import Preconditioner, per_example_gradients, precondition, preconditioning, projected_gradients
from trakway.projection.build import build_projection

DAMPING = 0.2
ROWS = np.array([0, 2, 3, 5, 8, 9, 10])


class Flat(nn.Module):
    """A model with a convolution, norms, a linear layer without bias, and a parameter that nothing depends on."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 3, 2)
        self.norm = nn.GroupNorm(1, 3)
        self.head = nn.Linear(12, 4, bias=False)
        self.unused = nn.Linear(2, 3)

    def forward(self, inputs):
        return self.head(self.norm(self.stem(inputs)).flatten(1))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Flat().eval()


@pytest.fixture
def task(any_model):
    """The task with twelve random images as its training set."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(12, 2, 3, 3, generator=generator)
    labels = torch.randint(0, 4, (12,), generator=generator)
    made = type(any_model)()
    made.train_batch = lambda rows: (images[rows], labels[rows])
    return made


def by_definition(model, fitted: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Precondition float64 gradients (B, p) by those ``fitted`` (examples, p), with matrix powers and loops."""
    columns = []
    start = 0
    for parameter in model.parameters():
        rows, size = len(parameter), parameter.numel()
        seen = [g[start : start + size].reshape(rows, -1) for g in fitted]
        left = sum(g @ g.T for g in seen) / len(seen)
        right = sum(g.T @ g for g in seen) / len(seen)
        trace = np.trace(left)
        own = [g[start : start + size].reshape(rows, -1) for g in gradients]
        start += size
        if trace == 0:
            columns.append(np.zeros((len(gradients), size)))
            continue
        left = left + DAMPING * np.trace(left) / len(left) * np.eye(len(left))
        right = right + DAMPING * np.trace(right) / len(right) * np.eye(len(right))
        left, right = (np.real(fractional_matrix_power(side, -0.5)) for side in (left, right))
        columns.append(np.stack([(math.sqrt(trace) * left @ g @ right).ravel() for g in own]))
    return np.concatenate(columns, axis=1)


def test_definition(task, model, by_autograd):
    """Against matrix powers of moments of gradients by autograd, all in float64."""
    fitted, others = (by_autograd(task, model.double(), [t.double() if t.is_floating_point() else t for t in batch])
                      for batch in (task.train_batch(ROWS), task.train_batch(np.arange(12))))  # fmt: skip
    model.float()
    expected = by_definition(model, fitted.numpy(), others.numpy())
    _, gradients = per_example_gradients(task, model, task.train_batch(np.arange(12)))
    found = precondition(task, model, ROWS, DAMPING, 3)(gradients)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert expected[:, -3:].max() == found[:, -3:].abs().max() == 0  # of the parameter that nothing depends on


@pytest.mark.parametrize("chunk", [1, 2, 5, 100])
def test_chunks_change_nothing_beyond_rounding(task, model, chunk):
    whole, parts = (precondition(task, model, ROWS, DAMPING, size) for size in (7, chunk))
    for one, other in zip(whole.sides, parts.sides, strict=True):
        for a, b in zip(one, other, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5 * float(a.abs().max()))


def test_features_are_projections_of_the_changed_gradients(task, model):
    parameters = sum(p.numel() for p in model.parameters())
    projection = build_projection({"kind": "sjlt", "dim": 16, "nonzeros": 2}, parameters, 0, 0)
    change = precondition(task, model, ROWS, DAMPING, 4)
    batch = task.train_batch(np.arange(5))
    outputs, features = projected_gradients(task, model, batch, projection, change)
    expected_outputs, gradients = per_example_gradients(task, model, batch)
    torch.testing.assert_close(outputs, expected_outputs)
    torch.testing.assert_close(features, projection(change(gradients)))
    assert not torch.allclose(features, projected_gradients(task, model, batch, projection)[1], rtol=0.1)


def test_a_projection_made_by_layer_has_no_gradients_to_change(task, model):
    sizes = [(p.numel(),) for p in model.parameters()]
    projection = build_projection({"kind": "factored", "dim": 16}, sum(map(math.prod, sizes)), 0, 0, sizes)
    with pytest.raises(ValueError, match="never sees the gradients"):
        projected_gradients(task, model, task.train_batch(ROWS), projection, lambda gradients: gradients)


def test_a_gradient_that_is_not_finite(task, model):
    images, labels = task.train_batch(np.arange(12))
    images[8] = np.inf
    task.train_batch = lambda rows: (images[rows], labels[rows])
    with pytest.raises(
        UserError, match=r"projection\.preconditioner: the gradient of training example 8 is not finite"
    ):
        precondition(task, model, ROWS, DAMPING, 3)


def moments(gradients, damping=DAMPING):
    found = preconditioning._Moments(*gradients.shape[1:], torch.device("cpu"))
    found.add(gradients.flatten(1))
    return Preconditioner([found.sides(damping)])


shapes = st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(1, 5))


@given(shapes, st.integers(0, 100), st.sampled_from([1e-6, 1e-2, 1.0, 1e4]))
def test_the_scale_of_the_gradients_is_lost(shape, seed, scale):
    gradients = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    one = moments(gradients)(gradients.flatten(1).clone())
    other = moments(scale * gradients)(scale * gradients.flatten(1))
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@given(shapes, st.integers(0, 100))
def test_a_turned_weight_has_turned_gradients(shape, seed):
    """In whichever orthonormal coordinates inputs and outputs are given: dot products stay the same."""
    generator = torch.Generator().manual_seed(seed)
    gradients = torch.randn(shape, generator=generator)
    left, right = (torch.linalg.qr(torch.randn(side, side, generator=generator))[0] for side in shape[1:])
    one = moments(gradients)(gradients.flatten(1).clone())
    turned = left @ gradients @ right
    other = moments(turned)(turned.flatten(1).clone())
    expected = (left @ one.unflatten(1, shape[1:]) @ right).flatten(1)
    torch.testing.assert_close(other, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_independent_sides_become_white():
    """Gradients A Z B with Z of independent entries: their second moment becomes a multiple of the identity."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(20_000, 3, 4, generator=generator)
    left, right = torch.diag(torch.tensor([10.0, 1, 0.1])), torch.randn(4, 4, generator=generator)
    gradients = left @ z @ right
    found = moments(gradients, 1e-8)(gradients.flatten(1).clone())
    second = found.T @ found / len(found)
    torch.testing.assert_close(second / second.diagonal().mean(), torch.eye(12), rtol=0, atol=0.05)
    before = gradients.flatten(1)
    before = before.T @ before / len(before)
    assert float(before.diagonal().max() / before.diagonal().min()) > 100


def test_of_a_long_side_the_diagonal_is_kept(task, model, monkeypatch):
    whole = precondition(task, model, ROWS, DAMPING, 4)
    monkeypatch.setattr(preconditioning, "LARGEST", 5)
    cut = precondition(task, model, ROWS, DAMPING, 4)
    _, gradients = per_example_gradients(task, model, task.train_batch(ROWS))
    seen = 0
    for (left, right), (before_left, before_right), part in zip(
        cut.sides, whole.sides, gradients.split([p.numel() for p in model.parameters()], dim=1), strict=True
    ):
        assert torch.equal(left, before_left)  # no more than 4 rows anywhere
        if len(right) <= 5:
            assert torch.equal(right, before_right)
            continue
        seen += 1
        part = part.unflatten(1, (len(left), len(right))).double()
        squares, trace = part.square().sum((0, 1)), part.square().sum()
        expected = (squares / trace + DAMPING / len(right)).rsqrt()
        torch.testing.assert_close(right.double(), expected, rtol=1e-4, atol=0)
    assert seen == 2  # the convolution and the head
    changed = cut(gradients.clone())
    assert torch.isfinite(changed).all()


@pytest.mark.parametrize("largest", [8192, 5])
def test_files_hold_the_same_bits(task, model, tmp_path, monkeypatch, largest):
    """Of whole factors and of diagonals."""
    monkeypatch.setattr(preconditioning, "LARGEST", largest)
    change = precondition(task, model, ROWS, DAMPING, 4)
    change.save(tmp_path / "folder/change.safetensors")
    found = Preconditioner.load(tmp_path / "folder/change.safetensors")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["change.safetensors"]
    assert len(found.sides) == len(change.sides) == len(list(model.parameters()))
    for one, other in zip(found.sides, change.sides, strict=True):
        for a, b in zip(one, other, strict=True):
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            assert torch.equal(a, b)
    _, gradients = per_example_gradients(task, model, task.train_batch(ROWS))
    assert torch.equal(found(gradients.clone()), change(gradients.clone()))


def test_files_keep_the_order_of_more_than_ten_parameters(tmp_path):
    sides = [(torch.full((2,), float(i)), torch.full((3,), float(-i))) for i in range(12)]
    Preconditioner(sides).save(tmp_path / "change.safetensors")
    found = Preconditioner.load(tmp_path / "change.safetensors").sides
    assert [(float(left[0]), float(right[0])) for left, right in found] == [(i, -i) for i in range(12)]
    assert [(len(left), len(right)) for left, right in found] == [(2, 3)] * 12


def test_sides_that_are_views_can_be_saved(tmp_path):
    whole = torch.arange(12.0).reshape(3, 4)
    Preconditioner([(whole.T, whole[:, 1])]).save(tmp_path / "change.safetensors")
    ((left, right),) = Preconditioner.load(tmp_path / "change.safetensors").sides
    assert torch.equal(left, whole.T)
    assert torch.equal(right, whole[:, 1])
