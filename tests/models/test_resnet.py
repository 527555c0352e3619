import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from trakway.models import resnet9, resnet_small
from trakway.models.resnet import Residual, ResidualBlock


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def double(model):
    """The model in eval mode and float64, its batch norms with statistics and weights of their own."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return model.double().eval()


def norm(x, layer):
    mean, var, weight, bias = (
        t.detach()[None, :, None, None] for t in (layer.running_mean, layer.running_var, layer.weight, layer.bias)
    )
    return (x - mean) / torch.sqrt(var + layer.eps) * weight + bias


@pytest.mark.parametrize(("outputs", "stride", "learned"), [(4, 1, False), (8, 1, True), (4, 2, True), (8, 2, True)])
def test_a_residual_block_by_its_formula(outputs, stride, learned):
    block = double(ResidualBlock(4, outputs, stride))
    x = torch.randn(2, 4, 7, 7, dtype=torch.float64)
    hidden = norm(F.conv2d(x, block.conv1.weight, stride=stride, padding=1), block.norm1).clamp(min=0)
    body = norm(F.conv2d(hidden, block.conv2.weight, padding=1), block.norm2)
    assert isinstance(block.shortcut, nn.Conv2d) == learned
    shortcut = F.conv2d(x, block.shortcut.weight, stride=stride) if learned else x
    torch.testing.assert_close(block(x), (body + shortcut).clamp(min=0))
    assert block(x).shape == (2, outputs, -(-7 // stride), -(-7 // stride))


def test_the_small_resnet():
    assert count(resnet_small.build((1, 28, 28), 2)) == 72_370
    model = resnet_small.build((3, 32, 32), 5, widths=(4, 8, 16, 16))
    sizes = []
    for part in (model.stem, *model.blocks):
        part.register_forward_hook(lambda module, inputs, output: sizes.append(tuple(output.shape[1:])))
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 5)
    assert sizes == [(4, 16, 16), (8, 8, 8), (16, 4, 4), (16, 2, 2)]


@pytest.mark.parametrize("size", [28, 32])
def test_the_resnet9(size):
    model = resnet9.build((3, size, size), 10)
    assert 2.2e6 < count(model) < 2.4e6
    assert [m.kernel_size for m in model.modules() if isinstance(m, nn.Conv2d)] == [(3, 3), (5, 5)] + [(3, 3)] * 6
    assert model.eval()(torch.zeros(2, 3, size, size)).shape == (2, 10)


def test_the_scale_multiplies_the_logits_and_is_not_learned():
    torch.manual_seed(0)
    model = resnet9.build((1, 28, 28), 2).eval()
    images = torch.randn(2, 1, 28, 28)
    with torch.no_grad():
        once = model(images)
        model.load_state_dict(model.state_dict() | {"scale": torch.tensor(0.6)})
        torch.testing.assert_close(model(images), 3 * once)
    assert "scale" not in dict(model.named_parameters())


def test_residual_adds_the_input():
    x = torch.randn(2, 3)
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    torch.testing.assert_close(Residual(first, second)(x), x + second(first(x)))


@pytest.mark.parametrize("build", [resnet_small.build, resnet9.build])
def test_in_eval_mode_an_example_is_alone(build):
    model = double(build((1, 28, 28), 3))
    images = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 1, 28, 28)))
    with torch.no_grad():
        together = model(images)
        torch.testing.assert_close(together, torch.cat([model(image[None]) for image in images]))
    assert together.std(0).min() > 1e-6  # the logits do depend on the image
