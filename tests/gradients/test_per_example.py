import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torch.nn.utils.prune
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from trakway.gradients import layers, per_example, per_example_gradients, projected_gradients
from trakway.gradients.per_example import layerwise, vmapped
from trakway.projection.sjlt import SJLT


def images(batch, channels=1, size=12, classes=3, seed=0, kind=torch.float64):
    rng = np.random.default_rng(seed)
    pixels = torch.from_numpy(rng.standard_normal((batch, channels, size, size)))
    return pixels.to(kind), torch.from_numpy(rng.integers(0, classes, batch))


class Pool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Residual(nn.Module):
    """In-place additions and ReLUs, as in torchvision's ResNets."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.norm(self.conv(x))
        out += x
        return self.relu(out)


class Twice(nn.Module):
    """Calls its layers twice, the second time on what the first has made."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1), nn.Linear(1, 1)

    def forward(self, x):
        for _ in range(2):
            x = torch.tanh(self.norm(self.conv(x)))
        x = self.head(torch.tanh(self.head(Pool()(x))))
        return torch.cat([x, x**2, 1 - x], 1)


class Unused(nn.Module):
    """Has layers it does not call."""

    def __init__(self):
        super().__init__()
        self.spare, self.head, self.last = nn.Linear(2, 2), nn.Linear(144, 3), nn.Conv2d(1, 2, 3)

    def forward(self, x):
        return self.head(x.flatten(1))


def plain():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 6, (3, 2), dilation=(1, 2), groups=2),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(96, 5),
        nn.Tanh(),
        nn.Linear(5, 3, bias=False),
    )


def residual():
    return nn.Sequential(nn.Conv2d(1, 4, 3), Residual(), Residual(), Pool(), nn.Linear(4, 3))


def frozen():
    model = plain()
    for name in ("0", "1", "6"):
        model.get_submodule(name).requires_grad_(False)
    model[3].bias.requires_grad_(False)
    return model


MODELS = {"plain": plain, "residual": residual, "frozen": frozen, "twice": Twice, "unused": Unused}


class Tokens(nn.Module):
    """A parameter of its own, of no layer that this library knows."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.head = nn.Linear(12, 8), nn.LayerNorm(8), nn.Linear(8, 3)
        self.token = nn.Parameter(torch.randn(8))

    def forward(self, x):
        return self.head(self.norm(torch.tanh(self.first(x[:, 0]) + self.token)).mean(1))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.inward, self.outward, self.head = nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 3)
        self.outward.weight = self.inward.weight

    def forward(self, x):
        return self.head(self.outward(torch.tanh(self.inward(x[:, 0]))).mean(1))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("batch", [1, 4])
def test_layerwise_and_vmapped_are_a_loop_of_autograd(any_model, settle, by_autograd, name, batch):
    torch.manual_seed(1)
    model = settle(MODELS[name]()).double()
    examples = images(batch)
    expected = by_autograd(any_model, model, examples)
    assert expected.abs().max() > 1e-3
    assert layers.supported(model, any_model.attributed(model))
    for function in (layerwise, vmapped, per_example_gradients):
        outputs, rows = function(any_model, model, examples)
        assert outputs.dtype == rows.dtype == torch.float32  # the one rounding there is
        assert not outputs.requires_grad
        assert not rows.requires_grad
        torch.testing.assert_close(rows.double(), expected, rtol=2e-7, atol=1e-9)
        torch.testing.assert_close(outputs, any_model.output(model, examples).detach().float())


@pytest.mark.parametrize("build", [Tokens, Tied])
def test_other_models_are_vmapped(any_model, settle, by_autograd, build):
    torch.manual_seed(1)
    model = settle(build()).double()
    examples = images(3)
    assert not layers.supported(model, any_model.attributed(model))
    _, rows = per_example_gradients(any_model, model, examples)
    torch.testing.assert_close(rows.double(), by_autograd(any_model, model, examples), rtol=2e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("build", "way"),
    [(plain, "layerwise"), (Twice, "layerwise"), (Unused, "layerwise"), (Tokens, "vmapped"), (Tied, "vmapped")],
)
def test_which_way_is_taken(any_model, settle, monkeypatch, build, way):
    model = settle(build())
    examples = images(2, kind=torch.float32)
    per_example_gradients(any_model, model, examples)  # looks the model over
    ways = []
    monkeypatch.setattr("trakway.gradients.per_example.layerwise", lambda *arguments: ways.append("layerwise"))
    monkeypatch.setattr("trakway.gradients.per_example.vmapped", lambda *arguments: ways.append("vmapped"))
    for _ in range(2):
        per_example_gradients(any_model, model, examples)
    assert ways == [way, way]


@pytest.mark.parametrize("build", [plain, residual, frozen, Twice, Unused, Tokens])
def test_features_of_gradients_that_are_never_whole(any_model, settle, monkeypatch, build):
    torch.manual_seed(1)
    model = settle(build())
    examples = images(19, kind=torch.float32)
    outputs, gradients = per_example_gradients(any_model, model, examples)
    projection = SJLT(gradients.shape[1], 16, 7)
    if build is not Tokens:  # which layers do not serve
        monkeypatch.setattr(SJLT, "__call__", None)
    found = projected_gradients(any_model, model, examples, projection)
    monkeypatch.undo()
    assert torch.equal(found[0], outputs)
    assert torch.equal(found[1], projection(gradients))


def test_the_torchvision_resnet(any_model, settle, by_autograd):
    torch.manual_seed(0)
    model = settle(torchvision.models.resnet18(num_classes=3))  # in-place ReLUs and additions
    pixels, labels = images(2, channels=3, size=64, kind=torch.float32)
    _, rows = per_example_gradients(any_model, model, (pixels, labels))
    assert rows.shape == (2, sum(p.numel() for p in model.parameters()))
    model, examples = model.double(), (pixels.double(), labels)
    expected = by_autograd(any_model, model, examples)
    _, exact = per_example_gradients(any_model, model, examples)
    torch.testing.assert_close(exact.double(), expected, rtol=3e-7, atol=1e-9)
    # In float32 a unit or two that is all but zero falls on the other side of its ReLU.
    assert ((rows.double() - expected).norm(dim=1) / expected.norm(dim=1)).max() < 2e-3


@pytest.mark.parametrize("name", MODELS)
def test_the_order_of_the_coordinates_in_float32(any_model, settle, name):
    torch.manual_seed(1)
    model = settle(MODELS[name]())
    examples = images(2, kind=torch.float32)
    _, rows = per_example_gradients(any_model, model, examples)
    names = any_model.attributed(model)
    for row, pixels, label in zip(rows, *examples, strict=True):
        model.zero_grad()
        any_model.output(model, (pixels[None], label[None])).sum().backward()
        start = 0
        for name in names:
            parameter = model.get_parameter(name)
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            gradient = gradient.flatten()
            torch.testing.assert_close(row[start : start + len(gradient)], gradient, rtol=1e-4, atol=1e-6)
            start += len(gradient)
        assert start == rows.shape[1]


def test_a_task_may_attribute_some_parameters(any_model, settle, by_autograd, monkeypatch):
    model = settle(plain()).double()
    examples = images(3)
    names = ["8.weight", "3.bias", "0.weight"]  # in its own order
    monkeypatch.setattr(any_model, "attributed", lambda model: names)
    expected = by_autograd(any_model, model, examples)
    for function in (layerwise, vmapped):
        _, rows = function(any_model, model, examples)
        torch.testing.assert_close(rows.double(), expected, rtol=2e-7, atol=1e-9)


@pytest.mark.parametrize("function", [layerwise, vmapped])
@given(parts=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_rows_do_not_depend_on_the_batch(any_model, settle, function, parts):
    torch.manual_seed(1)
    model = settle(residual()).double()
    pixels, labels = images(sum(parts))
    together = function(any_model, model, (pixels, labels))
    batches = zip(pixels.split(parts), labels.split(parts), strict=True)
    apart = zip(*(function(any_model, model, batch) for batch in batches), strict=True)
    for whole, pieces in zip(together, apart, strict=True):
        torch.testing.assert_close(torch.cat(pieces), whole, rtol=3e-7, atol=1e-9)


@pytest.mark.parametrize("function", [layerwise, vmapped])
def test_the_memory_layout_does_not_matter(any_model, settle, function):
    torch.manual_seed(1)
    model = settle(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), Pool()))
    pixels, labels = images(3, channels=3)
    model.double()
    expected = function(any_model, model, (pixels, labels))
    model.to(memory_format=torch.channels_last)
    rows = function(any_model, model, (pixels.to(memory_format=torch.channels_last), labels))
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(rows, expected, rtol=3e-7, atol=1e-9)


def test_several_rows_an_example(any_model, settle, by_autograd):
    class Draws(nn.Module):
        """Sees three shifted copies of each image, as a diffusion model sees noise draws."""

        def __init__(self):
            super().__init__()
            self.body = plain()

        def forward(self, x):
            x = torch.stack([x, 2 * x, x + 1], 1).flatten(0, 1)
            return self.body(x).unflatten(0, (-1, 3)).mean(1)

    model = settle(Draws()).double()
    examples = images(4)
    _, rows = layerwise(any_model, model, examples)
    torch.testing.assert_close(rows.double(), by_autograd(any_model, model, examples), rtol=2e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["resnet_small", "resnet9"])
def test_the_models_and_task_of_an_experiment(task, settle, by_autograd, name):
    from trakway.models import build_model

    torch.manual_seed(0)
    model = settle(build_model({"name": name}, (1, 28, 28), 2)).double()
    pixels, labels = task.train_batch(np.arange(2))
    batch = pixels.double(), labels
    assert layers.supported(model, task.attributed(model))
    expected = by_autograd(task, model, batch)
    for function in (layerwise, vmapped) if name == "resnet_small" else (layerwise,):
        _, rows = function(task, model, batch)
        torch.testing.assert_close(rows.double(), expected, rtol=3e-7, atol=1e-9)


@pytest.mark.parametrize("build", [plain, Tokens])
def test_nothing_is_left_behind(any_model, settle, build):
    model = settle(build())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    examples = images(2, kind=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):  # has no effect on the features
        inside = per_example_gradients(any_model, model, examples)
    outside = per_example_gradients(any_model, model, examples)
    assert all(torch.equal(one, other) for one, other in zip(inside, outside, strict=True))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("build", [plain, Tokens])
def test_gradients_where_they_are_switched_off(any_model, settle, build):
    model = settle(build())
    examples = images(2, kind=torch.float32)
    expected = per_example_gradients(any_model, model, examples)
    with torch.no_grad():
        found = per_example_gradients(any_model, model, examples)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_hooks_go_where_the_output_fails(any_model, settle, monkeypatch):
    model = settle(plain())

    def fail(model, batch):
        model(batch[0])
        raise RuntimeError("broken")

    monkeypatch.setattr(any_model, "output", fail)
    with pytest.raises(RuntimeError, match="broken"):
        layerwise(any_model, model, images(2, kind=torch.float32))
    assert not any(module._forward_hooks for module in model.modules())


def test_a_reparametrised_layer(any_model, settle, by_autograd):
    model = nn.Sequential(nn.Flatten(), nn.utils.parametrizations.weight_norm(nn.Linear(144, 3)))
    model = settle(model).double()
    examples = images(2)
    _, rows = per_example_gradients(any_model, model, examples)
    torch.testing.assert_close(rows.double(), by_autograd(any_model, model, examples), rtol=2e-7, atol=1e-9)


def test_a_layer_whose_weight_is_computed_from_another_parameter(any_model, settle, by_autograd):
    layer = nn.utils.prune.l1_unstructured(nn.Linear(144, 3), "weight", amount=0.5)  # weight = weight_orig · mask
    model = settle(nn.Sequential(nn.Flatten(), layer)).double()
    examples = images(2)
    _, rows = per_example_gradients(any_model, model, examples)
    torch.testing.assert_close(rows.double(), by_autograd(any_model, model, examples), rtol=2e-7, atol=1e-9)


def test_attributed_but_frozen(any_model, settle, by_autograd, monkeypatch):
    model = settle(plain()).double()
    examples = images(2)
    monkeypatch.setattr(any_model, "attributed", lambda model: ["0.weight", "8.weight"])
    expected = by_autograd(any_model, model, examples)
    model[0].requires_grad_(False)
    model[1].requires_grad_(False)
    _, rows = per_example_gradients(any_model, model, examples)
    torch.testing.assert_close(rows.double(), expected, rtol=2e-7, atol=1e-9)


def affine(layer, x):
    """Use a layer's parameters without calling it."""
    return F.linear(x, layer.weight, layer.bias)


def call(layer, x):
    return layer(x)


@pytest.mark.parametrize("how", [(affine, call), (affine, affine), (call, lambda layer, x: layer(input=x))])
def test_layers_used_in_other_ways(any_model, settle, by_autograd, how):
    class Used(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.Linear(144, 8), nn.Linear(8, 3)

        def forward(self, x):
            first, last = how
            return last(self.head, first(self.body, x.flatten(1)))

    model = settle(Used()).double()
    examples = images(2)
    _, rows = per_example_gradients(any_model, model, examples)
    torch.testing.assert_close(rows.double(), by_autograd(any_model, model, examples), rtol=2e-7, atol=1e-9)


class Shared(nn.Module):
    """Calls layers with what belongs to no example: a table of four rows, as many as a model is tried on."""

    def __init__(self, embedded):
        super().__init__()
        self.body, self.table, self.head = nn.Linear(144, 8), nn.Embedding(4, 8), nn.Linear(8, 8)
        self.numbers = torch.arange(4) if embedded else torch.arange(4)[None]
        self.embedded = embedded

    def forward(self, x):
        rows = self.table(self.numbers)
        rows = rows if self.embedded else rows[0]
        return (self.body(x.flatten(1)) @ self.head(rows).T)[:, :3]


@pytest.mark.parametrize("embedded", [True, False])
@pytest.mark.parametrize("count", [1, 4, 6])
def test_layers_called_with_what_belongs_to_no_example(any_model, settle, by_autograd, embedded, count):
    model = settle(Shared(embedded)).double()
    examples = images(count)
    _, rows = per_example_gradients(any_model, model, examples)
    torch.testing.assert_close(rows.double(), by_autograd(any_model, model, examples), rtol=2e-7, atol=1e-9)


class Positions(nn.Module):
    """Looks positions up once for all examples, as encoders of texts do."""

    def __init__(self):
        super().__init__()
        self.body, self.table, self.head = nn.Linear(12, 8), nn.Embedding(12, 8), nn.Linear(8, 3)
        self.numbers = torch.arange(12)[None]

    def forward(self, x):
        return self.head((self.body(x.view(-1, 12, 12)) * self.table(self.numbers)).tanh().sum(1))


@pytest.mark.parametrize("count", [1, 5])
def test_positions_looked_up_once_for_all(any_model, settle, by_autograd, monkeypatch, count):
    monkeypatch.setattr(per_example, "vmapped", None)
    model = settle(Positions()).double()
    examples = images(count)
    _, rows = per_example_gradients(any_model, model, examples)
    torch.testing.assert_close(rows.double(), by_autograd(any_model, model, examples), rtol=2e-7, atol=1e-9)
