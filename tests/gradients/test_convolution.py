import pytest
import torch
from torch import nn

from trakway.gradients.convolution import WIDE, weight_gradients


@pytest.mark.parametrize("outputs", [WIDE - 2, WIDE], ids=["groups", "patches"])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("draws", [1, 3])
def test_wide_convolutions(outputs, groups, draws):
    """Both ways give what autograd gives, an example at a time."""
    torch.manual_seed(0)
    examples = 2
    module = nn.Conv2d(4, outputs, (3, 2), stride=2, padding=1, groups=groups)
    images = torch.randn(examples * draws, 4, 5, 6)
    slope = torch.randn_like(module(images))
    found = weight_gradients(module, images, slope, examples)
    for row, seen, outward in zip(found, images.split(draws), slope.split(draws), strict=True):
        (expected,) = torch.autograd.grad((module(seen) * outward).sum(), [module.weight])
        torch.testing.assert_close(row, expected.flatten(), rtol=1e-4, atol=1e-4)
