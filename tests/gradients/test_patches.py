import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from trakway.gradients.patches import patches

pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))
paddings = st.tuples(st.integers(0, 4), st.integers(0, 4))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@given(
    kernel=pairs,
    stride=pairs,
    padding=paddings,
    dilation=pairs,
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    examples=st.integers(1, 3),
    draws=st.integers(1, 3),
    channels=st.integers(1, 3),
    last=st.booleans(),
)
def test_patches_are_those_of_unfold(kind, kernel, stride, padding, dilation, size, examples, draws, channels, last):
    assume(all(s + 2 * p > d * (k - 1) for s, p, d, k in zip(size, padding, dilation, kernel, strict=True)))
    count = examples * draws
    images = torch.arange(1, 1 + count * channels * size[0] * size[1], dtype=kind).view(count, channels, *size)
    if last:
        images = images.to(memory_format=torch.channels_last)
    module = nn.Conv2d(channels, 2, kernel, stride, padding, dilation)
    found = patches(module, images, examples)
    assert found.dtype == kind
    # The images of an example side by side: (C·kh·kw, draws·L).
    unfolded = F.unfold(images, kernel, dilation, padding, stride)
    expected = [torch.cat(list(rows), dim=1) for rows in unfolded.split(draws)]
    assert torch.equal(found, torch.stack(expected))


def test_patches_are_in_the_order_of_the_weight():
    images = torch.randn(2, 3, 7, 6)
    module = nn.Conv2d(3, 4, (3, 2), stride=2, padding=1)
    by_patches = module.weight.flatten(1) @ patches(module, images, 2) + module.bias[:, None]
    torch.testing.assert_close(by_patches, module(images).flatten(2), rtol=1e-4, atol=1e-5)
