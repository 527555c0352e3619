"""Per-example weight gradients of a convolution, from its input and output gradient."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDE = 256  # output channels from which a product pays for writing patches out on a CPU...
SMALL = 16  # ...and places of an output up to which it does: the library's grouped kernel is slow at 4x4


def weight_gradients(module: nn.Conv2d, inputs: Tensor, slope: Tensor, examples: int) -> Tensor:
    """Return the gradients of the weight, (B, size).

    Args:
        module: convolution with zeros for padding.
        inputs: its input (R, C, H, W); the R/B rows of an example follow each other.
        slope: gradient with respect to its output, (R, out, H', W').
        examples: their number B.
    """
    draws = len(inputs) // examples
    if module.kernel_size == (1, 1) and module.padding == (0, 0):
        seen = inputs[:, :, :: module.stride[0], :: module.stride[1]].flatten(2)
    elif inputs.device.type == "cpu" and module.out_channels < WIDE and slope[0, 0].numel() * draws > SMALL:
        return _in_groups(module, inputs, slope, examples)
    else:
        seen = F.unfold(inputs, module.kernel_size, module.dilation, module.padding, module.stride)
    groups = examples * module.groups
    left, right = (
        side_by_side(rows, examples).reshape(groups, rows.shape[1] // module.groups, -1)
        for rows in (slope.flatten(2), seen)
    )
    return torch.bmm(left, right.transpose(1, 2)).reshape(examples, -1)


def side_by_side(rows: Tensor, examples: int) -> Tensor:
    """Return rows (R, C, L) as (B, C, R/B·L): the rows of an example side by side."""
    if len(rows) == examples:
        return rows
    return rows.unflatten(0, (examples, -1)).transpose(1, 2).flatten(2)


def _in_groups(module: nn.Conv2d, inputs: Tensor, slope: Tensor, examples: int) -> Tensor:
    """One convolution whose groups are the examples: the library's kernel reads the images, no patches are written."""
    seen, outward = (
        rows.unflatten(0, (examples, -1)).transpose(0, 1).flatten(1, 2)  # (R/B, B·C, H, W)
        for rows in (inputs, slope)
    )
    shape = (examples * len(module.weight), *module.weight.shape[1:])
    weights = torch.nn.grad.conv2d_weight(
        seen, shape, outward, module.stride, module.padding, module.dilation, examples * module.groups
    )
    return weights.reshape(examples, -1)
