import pytest
import torch
from torch import nn

from trakway.gradients.convolution import SMALL, WIDE, weight_gradients


@pytest.mark.parametrize(
    ("outputs", "side"), [(WIDE - 2, 9), (WIDE, 9), (WIDE - 2, 5)], ids=["groups", "patches", "small"]
)
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("draws", [1, 3])
def test_wide_and_small_convolutions(outputs, side, groups, draws):
    """Both ways give what autograd gives, an example at a time."""
    torch.manual_seed(0)
    examples = 2
    module = nn.Conv2d(4, outputs, (3, 2), stride=2, padding=1, groups=groups)
    images = torch.randn(examples * draws, 4, side, side + 1)
    slope = torch.randn_like(module(images))
    assert (slope[0, 0].numel() <= SMALL) == (side == 5)
    found = weight_gradients(module, images, slope, examples)
    for row, seen, outward in zip(found, images.split(draws), slope.split(draws), strict=True):
        (expected,) = torch.autograd.grad((module(seen) * outward).sum(), [module.weight])
        torch.testing.assert_close(row, expected.flatten(), rtol=1e-4, atol=1e-4)
