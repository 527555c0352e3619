"""The patches that a convolution sees, as a matrix for each image."""

import numba
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def patches(module: nn.Conv2d, inputs: Tensor, examples: int) -> Tensor:
    """Return the patches of images (R, C, H, W): (B, C·kh·kw, R/B·L), L output positions, in the order of the weight.

    The rows of an example follow each other in ``inputs`` and lie side by side in the result.
    """
    if module.kernel_size == (1, 1) and module.padding == (0, 0):
        return side_by_side(inputs[:, :, :: module.stride[0], :: module.stride[1]].flatten(2), examples)
    if inputs.device.type != "cpu" or inputs.dtype != torch.float32:
        unfolded = F.unfold(inputs, module.kernel_size, module.dilation, module.padding, module.stride)
        return side_by_side(unfolded, examples)
    # Two to four times as fast as F.unfold on small images, which are all that a CPU sees.
    (height, width), (top, left) = inputs.shape[2:], module.padding
    (rows, columns), (down, across), (step, stride) = module.kernel_size, module.dilation, module.stride
    out_height = (height + 2 * top - down * (rows - 1) - 1) // step + 1
    out_width = (width + 2 * left - across * (columns - 1) - 1) // stride + 1
    each = len(inputs) // examples
    result = np.zeros((examples, inputs.shape[1], rows, columns, each, out_height, out_width), np.float32)
    _copy_patches(result, inputs.contiguous().numpy(), top, left, down, across, step, stride)
    return torch.from_numpy(result).view(examples, -1, each * out_height * out_width)


def side_by_side(rows: Tensor, examples: int) -> Tensor:
    """Return rows (R, C, L) as (B, C, R/B·L): the rows of an example side by side."""
    if len(rows) == examples:
        return rows
    return rows.unflatten(0, (examples, -1)).transpose(1, 2).flatten(2)


@numba.njit(cache=True)
def _copy_patches(result, images, top, left, down, across, step, stride):  # pragma: no cover (compiled)
    _, channels, rows, columns, each, out_height, out_width = result.shape
    height, width = images.shape[2:]
    for image in range(len(images)):
        example, place = image // each, image % each
        for channel in range(channels):
            for i in range(rows):
                for j in range(columns):
                    # Output columns whose input lies inside the image; the rest is padding and stays zero.
                    shift = j * across - left
                    first = max(0, -(shift // stride))
                    last = min(out_width, (width - 1 - shift) // stride + 1)
                    for r in range(out_height):
                        y = r * step + i * down - top
                        if 0 <= y < height:
                            for c in range(first, last):
                                result[example, channel, i, j, place, r, c] = images[
                                    image, channel, y, c * stride + shift
                                ]
