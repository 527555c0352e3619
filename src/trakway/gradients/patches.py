"""The patches that a convolution sees, as a matrix for each image."""

import numba
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def patches(module: nn.Conv2d, inputs: Tensor) -> Tensor:
    """Return the patches of images (R, C, H, W): (R, C·kh·kw, L), L output positions, in the order of the weight."""
    if module.kernel_size == (1, 1) and module.padding == (0, 0):
        return inputs[:, :, :: module.stride[0], :: module.stride[1]].flatten(2)
    if inputs.device.type != "cpu" or inputs.dtype != torch.float32:
        return F.unfold(inputs, module.kernel_size, module.dilation, module.padding, module.stride)
    # Two to four times as fast as F.unfold on small images, which are all that a CPU sees.
    (height, width), (top, left) = inputs.shape[2:], module.padding
    (rows, columns), (down, across), (step, stride) = module.kernel_size, module.dilation, module.stride
    out_height = (height + 2 * top - down * (rows - 1) - 1) // step + 1
    out_width = (width + 2 * left - across * (columns - 1) - 1) // stride + 1
    result = np.zeros((len(inputs), inputs.shape[1], rows, columns, out_height, out_width), np.float32)
    _copy_patches(result, inputs.contiguous().numpy(), top, left, down, across, step, stride)
    return torch.from_numpy(result).view(len(inputs), -1, out_height * out_width)


@numba.njit(cache=True)
def _copy_patches(result, images, top, left, down, across, step, stride):  # pragma: no cover (compiled)
    count, channels, rows, columns, out_height, out_width = result.shape
    height, width = images.shape[2:]
    for image in range(count):
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
                                result[image, channel, i, j, r, c] = images[image, channel, y, c * stride + shift]
