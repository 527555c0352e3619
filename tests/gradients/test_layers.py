from unittest import mock

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from trakway.gradients import convolution, layers


def check(module, inputs, examples, seed):
    """Compare a layer's rows with a loop of torch.autograd, in float64, for a random gradient of the output."""
    outputs = module(inputs)
    slope = torch.randn(outputs.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    found = layers.gradient_of(module)(module, inputs, slope, examples)
    names = [name for name, _ in module.named_parameters()]
    assert set(found) == set(names)
    shares = (slope * outputs).reshape(examples, -1).sum(1)  # rows of an example are next to each other
    for i, share in enumerate(shares):
        gradients = torch.autograd.grad(share, list(module.parameters()), retain_graph=True)
        for name, gradient in zip(names, gradients, strict=True):
            torch.testing.assert_close(found[name][i], gradient.flatten(), rtol=1e-10, atol=1e-10)
    # float32, what a run computes in, has kernels of its own.
    single = inputs.float() if inputs.is_floating_point() else inputs
    rounded = layers.gradient_of(module)(module.float(), single, slope.float(), examples)
    for name in names:
        assert rounded[name].dtype == torch.float32
        torch.testing.assert_close(rounded[name].double(), found[name], rtol=1e-4, atol=1e-4)


def random(*shape, seed):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
seeds = st.integers(0, 999)
counts = st.integers(1, 3)


@pytest.mark.parametrize("wide", [1, convolution.WIDE], ids=["patches", "groups"])
@given(
    groups=st.sampled_from([1, 2, 3]),
    depth=st.tuples(counts, counts),
    kernel=pairs,
    stride=pairs,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    bias=st.booleans(),
    examples=counts,
    draws=st.integers(1, 6),
    size=st.tuples(st.integers(5, 8), st.integers(5, 8)),
    last=st.booleans(),
    seed=seeds,
)
def test_convolution(wide, groups, depth, kernel, stride, padding, dilation, bias, examples, draws, size, last, seed):
    torch.manual_seed(seed)
    inputs, outputs = (groups * channels for channels in depth)
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias).double()
    images = random(examples * draws, inputs, *size, seed=seed)
    if last:
        layer, images = (x.to(memory_format=torch.channels_last) for x in (layer, images))
    with mock.patch.object(convolution, "WIDE", wide):
        check(layer, images, examples, seed)


@given(between=st.lists(counts, max_size=2), bias=st.booleans(), examples=counts, draws=counts, seed=seeds)
def test_linear(between, bias, examples, draws, seed):
    torch.manual_seed(seed)
    layer = nn.Linear(4, 3, bias).double()
    check(layer, random(examples * draws, *between, 4, seed=seed), examples, seed)


@given(examples=counts, draws=counts, last=st.booleans(), seed=seeds)
def test_batch_norm(examples, draws, last, seed):
    layer = nn.BatchNorm2d(5, eps=0.1).double().eval()
    with torch.no_grad():
        for tensor in (*layer.parameters(), layer.running_mean, layer.running_var):
            tensor.copy_(0.3 + random(5, seed=seed).abs())
    images = random(examples * draws, 5, 3, 4, seed=seed)
    check(layer, images.to(memory_format=torch.channels_last) if last else images, examples, seed)


@given(groups=st.sampled_from([1, 2, 4]), examples=counts, draws=counts, last=st.booleans(), seed=seeds)
def test_group_norm(groups, examples, draws, last, seed):
    layer = nn.GroupNorm(groups, 4, eps=0.1).double()
    with torch.no_grad():
        for tensor in layer.parameters():
            tensor.copy_(random(4, seed=seed))
    images = random(examples * draws, 4, 3, 2, seed=seed)
    check(layer, images.to(memory_format=torch.channels_last) if last else images, examples, seed)


@given(between=st.lists(counts, max_size=2), bias=st.booleans(), examples=counts, draws=counts, seed=seeds)
def test_layer_norm(between, bias, examples, draws, seed):
    layer = nn.LayerNorm(4, eps=0.1, bias=bias).double()
    check(layer, random(examples * draws, *between, 4, seed=seed), examples, seed)


@given(between=st.lists(counts, max_size=2), padding=st.booleans(), examples=counts, draws=counts, seed=seeds)
def test_embedding(between, padding, examples, draws, seed):
    layer = nn.Embedding(5, 4, padding_idx=0 if padding else None).double()
    numbers = torch.randint(5, (examples * draws, *between), generator=torch.Generator().manual_seed(seed))
    check(layer, numbers, examples, seed)


class Subclass(nn.Linear):
    def forward(self, x):
        return super().forward(x) ** 2


@pytest.mark.parametrize(
    ("layer", "known"),
    [
        (nn.Conv2d(2, 4, 3), True),
        (nn.Conv2d(2, 4, 3, padding="same"), False),
        (nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect"), False),
        (nn.Conv1d(2, 4, 3), False),
        (nn.ConvTranspose2d(2, 4, 3), False),
        (nn.Linear(2, 3), True),
        (Subclass(2, 3), False),
        (nn.BatchNorm2d(2).eval(), True),
        (nn.BatchNorm2d(2), False),
        (nn.BatchNorm2d(2, track_running_stats=False).eval(), False),
        (nn.GroupNorm(1, 2), True),
        (nn.LayerNorm(2), True),
        (nn.LayerNorm((2, 2)), False),
        (nn.InstanceNorm2d(2, affine=True), False),
        (nn.Embedding(2, 2), True),
        (nn.Embedding(2, 2, max_norm=1.0), False),
        (nn.Embedding(2, 2, sparse=True), False),
        (nn.Embedding(2, 2, scale_grad_by_freq=True), False),
    ],
)
def test_layers_that_are_known(layer, known):
    model = nn.Sequential(nn.ReLU(), layer)
    for module in (model, layer):
        assert layers.supported(module, [name for name, _ in module.named_parameters()]) == known


def test_a_layer_without_parameters_needs_no_gradient():
    model = nn.Sequential(nn.BatchNorm2d(2, affine=False), nn.Conv2d(2, 3, 1)).eval()
    assert layers.gradient_of(model[0]) is None
    assert layers.supported(model, ["1.weight", "1.bias"])


def test_an_unknown_layer_matters_only_where_it_is_attributed():
    model = nn.Sequential(nn.Linear(2, 2), nn.PReLU(2), nn.Linear(2, 2))
    assert layers.supported(model, ["0.weight", "2.weight", "2.bias"])
    assert not layers.supported(model, ["0.weight", "1.weight"])


def test_a_parameter_of_the_model_itself_is_unknown():
    model = nn.Sequential(nn.Linear(2, 2))
    model.register_parameter("temperature", nn.Parameter(torch.ones(())))
    assert not layers.supported(model, ["0.weight", "temperature"])


def test_tied_parameters_have_two_sources():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    assert not layers.supported(model, ["0.weight"])
