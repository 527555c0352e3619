"""Sparse projection on a GPU."""

import math

import numpy as np
import torch
from torch import Tensor

from trakway.projection.gpu import schedule
from trakway.projection.gpu.kernels import check_features, launch, prepare
from trakway.projection.gpu.listing import listing


def sjlt(
    gradients: Tensor, dim: int, key: int, nonzeros: int = 1, out: Tensor | None = None, check: bool = True
) -> Tensor:
    """Project gradients by the sparse matrix of ``SJLT(p, dim, key, nonzeros)``.

    Sums are in float32 and in the same order every time, without atomics: the same call gives the same bits. The first
    call for a projection sorts its entries by column; the last two projections' lists are kept on the GPU.

    Args:
        gradients: (B, p) float32, bfloat16 or float16 on a GPU; rows may have any distance from each other.
        dim: k ≥ 1.
        key: 64 bits.
        nonzeros: entries of each coordinate, 1 to k.
        out: (B, k) float32, contiguous, on the same GPU; made when absent.
        check: wait for the result and look for rows that aren't finite.

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

    plan = schedule.sparse(format, batch, parameters, dim)
    lists = listing(device, parameters, dim, key, nonzeros)
    partial = torch.empty(plan.splits, batch, dim, device=device)
    faulty = torch.zeros(batch, dtype=torch.int32, device=device)
    launch(device, plan.name, plan.blocks, schedule.THREADS, [
        gradients, np.int64(gradients.stride(0)), np.int32(batch), np.int64(parameters), np.int32(dim),
        np.int32(plan.tile_columns), np.int32(plan.column_tiles), np.int32(plan.batch_tiles), np.int32(plan.length),
        np.int32(nonzeros), np.int64(plan.segments), np.int64(plan.segments_a_split), lists.offsets, lists.entries,
        partial,
    ], plan.shared)  # fmt: skip
    launch(device, "sparse_reduce", math.ceil(batch * dim / 256), 256, [
        partial, np.int64(plan.splits), np.int32(batch), np.int32(dim), np.float32(1 / math.sqrt(nonzeros)), out,
        faulty,
    ])  # fmt: skip
    if check:
        check_features(faulty)
    return out
