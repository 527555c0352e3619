"""Rademacher projection on a GPU."""

import math

import numpy as np
import torch
from torch import Tensor

from trakway.projection.gpu import schedule
from trakway.projection.gpu.kernels import check_features, key_words, launch, prepare


def rademacher(gradients: Tensor, dim: int, key: int, out: Tensor | None = None, check: bool = True) -> Tensor:
    """Project gradients by the dense random signs of ``Rademacher(p, dim, key)``.

    Products are exact for bfloat16; float32 and float16 gradients enter as two bfloat16 each, to 2⁻¹⁷ of every entry.
    Sums are in float32 and in the same order every time: the same call gives the same bits.

    Args:
        gradients: (B, p) float32, bfloat16 or float16 on a GPU; rows may have any distance from each other.
        dim: k ≥ 1.
        key: 64 bits.
        out: (B, k) float32, contiguous, on the same GPU; made when absent.
        check: wait for the result and look for rows that aren't finite. Without, such rows hold inf or NaN throughout.

    Returns:
        float32 (B, k).

    Raises:
        UserError: where CuPy isn't installed, or a gradient isn't finite.
        ValueError: for gradients of another type, shape or device, or another ``out``.
    """
    format, gradients, out = prepare(gradients, dim, out)
    batch, parameters = gradients.shape
    if batch == 0:
        return out
    device = gradients.device
    pitch = gradients.stride(0)
    pair = 2 * gradients.element_size()
    aligned = gradients.data_ptr() % pair == 0 and pitch % 2 == 0

    plan = schedule.dense(format, batch, parameters, dim)
    partial = torch.empty(plan.workspace // 4, device=device)
    faulty = torch.zeros(batch, dtype=torch.int32, device=device)
    launch(device, plan.name, plan.blocks, 32 * schedule.WARPS, [
        gradients, np.int64(pitch), np.int32(aligned), np.int32(batch), np.int64(parameters), np.int32(dim),
        *key_words(key), np.int64(plan.stages), np.int64(plan.stages_a_split), np.int32(plan.batch_tiles),
        np.int32(plan.column_tiles), partial,
    ])  # fmt: skip
    groups = math.ceil(dim / (16 * plan.m))
    launch(device, plan.reduce_name, groups * plan.batch_tiles * plan.m * plan.n, 256, [
        partial, np.int64(plan.partial_sums), np.int32(batch), np.int32(dim), np.int32(groups),
        np.int32(plan.padded_groups), np.int32(plan.batch_tiles), np.float32(1 / math.sqrt(dim)), out, faulty,
    ])  # fmt: skip
    if check:
        check_features(faulty)
    return out
