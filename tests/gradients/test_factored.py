"""The factored projection from one backward pass, against P from its definition times gradients by autograd."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from trakway.errors import UserError
from trakway.gradients import layers, per_example, per_example_gradients, projected_gradients, require_layers, shapes
from trakway.gradients.factored import product
from trakway.projection.build import build_projection
from trakway.projection.reference import factored_matrix

counts = st.integers(1, 3)
pairs = st.tuples(counts, counts)
seeds = st.integers(0, 999)


def random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def project(task, model, dim=12, member=0):
    """Build the factored projection of a model."""
    seen = shapes(model, task.attributed(model))
    return build_projection({"kind": "factored", "dim": dim}, sum(map(np.prod, seen)), 0, member, seen)


def reference(projection, gradients):
    matrix = factored_matrix(projection.shapes, projection.dim, projection.keys)
    return gradients.double() @ torch.from_numpy(matrix)


def check(found, gradients, projection, tolerance=1e-6):
    """Every row as by the definition, to a share of the length of its gradient."""
    assert found.dtype == torch.float32
    assert not found.requires_grad
    error = (found - reference(projection, gradients)).norm(dim=1)
    assert (error <= tolerance * gradients.norm(dim=1)).all()


class Everything(nn.Module):
    """Layers with and without bias, in groups, called twice, not called at all, in-place changes."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False)
        self.norm, self.twice = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, padding=1)
        self.spare, self.relu = nn.Linear(2, 2), nn.ReLU(inplace=True)
        self.grouped, self.group_norm = nn.Conv2d(4, 6, (3, 2), dilation=(1, 2), groups=2), nn.GroupNorm(2, 6)
        self.tokens, self.layer_norm, self.head = nn.Linear(16, 5), nn.LayerNorm(5), nn.Linear(30, 3, bias=False)

    def forward(self, x):
        x = self.relu(self.norm(self.first(x)))
        for _ in range(2):
            x = torch.tanh(self.twice(x)) + x
        x = self.group_norm(self.grouped(x))
        return self.head(torch.tanh(self.layer_norm(self.tokens(x.flatten(2)))).flatten(1))


def frozen():
    model = Everything()
    for parameter in (model.first.weight, model.twice.bias, model.tokens.weight, *model.norm.parameters()):
        parameter.requires_grad_(False)
    return model


def examples(batch, kind=torch.float64):
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 3, batch))
    return random(batch, 1, 12, 12).to(kind), labels


@pytest.fixture(scope="module", params=[Everything, frozen])
def model(request, settle):
    torch.manual_seed(1)
    return settle(request.param()).double()


class TestProduct:
    @given(
        depth=pairs, kernel=pairs, stride=pairs, padding=st.tuples(*2 * [st.integers(0, 2)]), dilation=pairs,
        examples=counts, draws=counts, last=st.booleans(), seed=seeds,
    )  # fmt: skip
    @settings(max_examples=40)
    def test_convolution(self, depth, kernel, stride, padding, dilation, examples, draws, last, seed):
        layer = nn.Conv2d(*depth, kernel, stride, padding, dilation).double()
        inputs = random(examples * draws, depth[0], 7, 8, seed=seed)
        if last:
            layer, inputs = (x.to(memory_format=torch.channels_last) for x in (layer, inputs))
        self.check(layer, inputs, examples, seed)

    @given(between=st.lists(counts, max_size=2), examples=counts, draws=counts, seed=seeds)
    def test_linear(self, between, examples, draws, seed):
        self.check(nn.Linear(4, 3).double(), random(examples * draws, *between, 4, seed=seed), examples, seed)

    def check(self, layer, inputs, examples, seed):
        """Compare with the gradients of the weight, made of patches, between B and A."""
        slope = random(*layer(inputs).shape, seed=seed)
        gradients = layers.gradient_of(layer)(layer, inputs, slope, examples)["weight"].view(
            examples, *layer.weight.shape
        )
        gradients = gradients.flatten(2)
        outward, inward = random(gradients.shape[1], 2, seed=1), random(gradients.shape[2], 5, seed=2)
        found = product(layer, inputs, slope, examples, outward, inward)
        torch.testing.assert_close(found, outward.T @ gradients @ inward, rtol=1e-9, atol=1e-9)


def test_shapes():
    model = nn.Sequential(nn.Conv2d(4, 6, (3, 2)), nn.Conv2d(6, 6, 3, groups=3), nn.BatchNorm2d(6), nn.Linear(5, 7))
    names = ["3.weight", "0.bias", "0.weight", "1.weight", "2.weight", "2.bias", "3.bias"]
    assert shapes(model, names) == [(7, 5), (6,), (6, 24), (6 * 2 * 9,), (6,), (6,), (7,)]
    assert shapes(nn.Linear(2, 3), ["weight", "bias"]) == [(3, 2), (3,)]


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("dim", [1, 7, 36])
def test_by_the_definition(any_model, model, by_autograd, batch, dim):
    projection, chosen = project(any_model, model, dim), examples(batch)
    outputs, features = projected_gradients(any_model, model, chosen, projection)
    gradients = by_autograd(any_model, model, chosen)
    assert gradients.norm(dim=1).min() > 0.1
    check(features, gradients, projection)
    torch.testing.assert_close(outputs, any_model.output(model, chosen).detach().float())
    # What runs compute in.
    single = model.float()
    try:
        kind = torch.float32
        check(projected_gradients(any_model, single, examples(batch, kind), projection)[1], gradients, projection, 1e-4)
    finally:
        model.double()


def test_a_task_may_attribute_some_parameters_in_its_own_order(any_model, settle, by_autograd, monkeypatch):
    model, chosen = settle(Everything()).double(), examples(3)
    names = ["head.weight", "norm.bias", "tokens.bias", "twice.weight", "grouped.weight"]
    monkeypatch.setattr(any_model, "attributed", lambda model: names)
    projection = project(any_model, model)
    _, features = projected_gradients(any_model, model, chosen, projection)
    check(features, by_autograd(any_model, model, chosen), projection)


@pytest.mark.parametrize("name", ["resnet_small", "resnet9"])
def test_the_models_and_task_of_an_experiment(task, settle, by_autograd, name):
    from trakway.models import build_model

    torch.manual_seed(0)
    model = settle(build_model({"name": name} | ({"widths": [4, 8]} if name == "resnet_small" else {}), (1, 28, 28), 2))
    batch = task.train_batch(np.arange(2))
    projection = project(task, model, 64)
    _, features = projected_gradients(task, model, batch, projection)
    gradients = per_example_gradients(task, model, batch)[1]
    assert ((features - projection(gradients)).norm(dim=1) <= 1e-5 * gradients.norm(dim=1)).all()
    if name == "resnet_small":
        model, batch = model.double(), (batch[0].double(), batch[1])
        _, features = projected_gradients(task, model, batch, projection)
        check(features, by_autograd(task, model, batch), projection)


@pytest.fixture(scope="module")
def draws(diffusion_task):
    """A task whose f is a mean over draws; a UNet of diffusers with attention."""
    return diffusion_task(model={"attention": [4]}, journey={"train_draws": 6, "target_draws": 3})


@pytest.fixture(scope="module")
def unet(draws):
    model = draws.new_model(1).eval()
    with torch.no_grad():
        for n, parameter in enumerate(model.parameters()):
            parameter += 0.1 * random(*parameter.shape, seed=n).float()
    return model.double()


@pytest.fixture(scope="module", params=["train_batch", "target_batch"])
def drawn(request, draws, unet, by_autograd):
    """A batch, and its gradients by autograd."""
    batch = getattr(draws, request.param)(np.array([3, 1]))
    batch = tuple(tensor.double() if tensor.is_floating_point() else tensor for tensor in batch)
    return batch, by_autograd(draws, unet, batch)


@pytest.mark.parametrize("rows", [1, 4, 256])
def test_a_mean_over_draws_in_pieces(draws, unet, drawn, monkeypatch, rows):
    monkeypatch.setitem(per_example.ROWS, "cpu", rows)
    batch, gradients = drawn
    most = []
    hook = unet.register_forward_pre_hook(lambda module, inputs: most.append(len(inputs[0])))
    projection = project(draws, unet, 30)
    outputs, features = projected_gradients(draws, unet, batch, projection)
    hook.remove()
    assert max(most) <= rows
    check(features, gradients, projection)
    torch.testing.assert_close(outputs, draws.output(unet, batch).detach().float())


@given(parts=st.lists(st.integers(1, 3), min_size=1, max_size=3))
@settings(max_examples=10)
def test_rows_do_not_depend_on_the_batch(any_model, model, parts):
    pixels, labels = examples(sum(parts))
    projection = project(any_model, model)
    _, together = projected_gradients(any_model, model, (pixels, labels), projection)
    batches = zip(pixels.split(parts), labels.split(parts), strict=True)
    apart = [projected_gradients(any_model, model, batch, projection)[1] for batch in batches]
    torch.testing.assert_close(torch.cat(apart), together, rtol=3e-7, atol=1e-9)


def test_every_member_has_its_own(any_model, model):
    one, other, again = (
        projected_gradients(any_model, model, examples(2), project(any_model, model, member=member))[1]
        for member in (0, 1, 0)
    )
    assert torch.equal(one, again)
    assert (one - other).norm() > 0.3 * one.norm()


def test_whatever_runs_around_it(any_model, settle):
    model, chosen = settle(Everything()), examples(2, torch.float32)
    projection = project(any_model, model)
    expected = projected_gradients(any_model, model, chosen, projection)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = projected_gradients(any_model, model, chosen, projection)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert not any(module._forward_hooks for module in model.modules())


class Largest(TorchDispatchMode):
    """Notes the numbers in the largest tensor that any operation makes."""

    numbers = 0

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        result = function(*arguments, **(options or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, torch.Tensor):
                self.numbers = max(self.numbers, tensor.untyped_storage().nbytes() // tensor.element_size())
        return result


def test_no_gradients_of_weights_for_a_batch(any_model):
    model = nn.Sequential(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.Conv2d(20, 30, 5), nn.Flatten(), nn.Linear(480, 40)).eval()
    parameters, chosen = sum(parameter.numel() for parameter in model.parameters()), examples(40, torch.float32)
    projection = project(any_model, model)
    with Largest() as largest:
        projected_gradients(any_model, model, chosen, projection)
    assert largest.numbers < 40 * 20 * 8 * 8 * 2 < 3 * parameters  # what goes through the layers; one gradient
    with Largest() as largest:
        projection(per_example_gradients(any_model, model, chosen)[1])
    assert largest.numbers >= 40 * parameters


class Tokens(nn.Module):
    """A parameter of its own, of no layer."""

    def __init__(self):
        super().__init__()
        self.first, self.token = nn.Linear(12, 3), nn.Parameter(torch.ones(3))

    def forward(self, x):
        return torch.tanh(self.first(x[:, 0]) + self.token).sum(1)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.inward, self.outward, self.head = nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 3)
        self.outward.weight = self.inward.weight

    def forward(self, x):
        return self.head(self.outward(torch.tanh(self.inward(x[:, 0]))).mean(1))


class Functional(nn.Module):
    """Uses a weight without calling its layer."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(144, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(F.linear(x.flatten(1), self.body.weight))


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (Tokens, r"token \(in Tokens\) is not the trained weight or bias"),
        (Tied, r"inward.weight \(in Linear\) is not"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(144, 3), nn.PReLU(3)), r"2.weight \(in PReLU\) is not"),
    ],
)
def test_models_with_other_parameters_are_refused(any_model, build, told):
    model = build().eval()
    told = (
        f"projection.kind: found factored, but the model's {told}.*; allowed for this model: sjlt, rademacher, identity"
    )
    with pytest.raises(UserError, match=told):
        require_layers(model, any_model.attributed(model))
    projection = project(any_model, model)
    with pytest.raises(UserError, match=told):
        projected_gradients(any_model, model, examples(2, torch.float32), projection)


def test_a_weight_used_without_its_layer_is_refused(any_model):
    model = Functional().eval()
    require_layers(model, any_model.attributed(model))  # cannot tell
    projection = project(any_model, model)
    for _ in range(2):
        with pytest.raises(
            UserError, match="found factored, but the model's body.weight is used without calling its layer"
        ):
            projected_gradients(any_model, model, examples(2, torch.float32), projection)


@pytest.mark.parametrize("projection", [{"kind": "sjlt", "dim": 9}, {"kind": "identity", "dim": None}])
def test_other_kinds_project_the_gradients(any_model, model, projection):
    chosen = examples(3)
    outputs, gradients = per_example_gradients(any_model, model, chosen)
    project = build_projection(projection, gradients.shape[1], 0, 0)
    found = projected_gradients(any_model, model, chosen, project)
    assert torch.equal(found[0], outputs)
    assert torch.equal(found[1], project(gradients))
