"""The dense projection of the TRAK paper, with ±1 entries; everything else is tested against it.

P[i, j] = ±1 / √k. The sign is bit j mod 128 of ``philox(counter=(i mod 2³², i div 2³², j div 128, 0), key)``,
counted from the lowest bit of the first word; a set bit means minus.
"""

import math

import numba
import numpy as np
import torch
from torch import Tensor

from trakway.projection.base import Projection
from trakway.projection.philox import philox_words

BLOCK_ENTRIES = 1 << 22  # entries of P made at a time: 16 MB


class Rademacher(Projection):
    """Dense random signs, made block by block and never kept: memory is bounded at any p and k."""

    def __init__(self, parameters: int, dim: int, key: int):
        super().__init__(parameters, dim)
        self.key = key

    def signs(self, start: int, stop: int) -> np.ndarray:
        """Return rows ``start`` to ``stop`` of √k·P: float32, shape (stop - start, k)."""
        block = np.empty((stop - start, self.dim), np.float32)
        _fill_signs(block, start, np.uint64(self.key))
        return block

    def __call__(self, gradients: Tensor) -> Tensor:
        features = torch.zeros(len(gradients), self.dim, device=gradients.device)
        height = max(1, BLOCK_ENTRIES // self.dim)
        for start in range(0, self.parameters, height):
            stop = min(start + height, self.parameters)
            block = torch.from_numpy(self.signs(start, stop)).to(gradients.device)
            features.addmm_(gradients[:, start:stop], block)
        return features.mul_(1 / math.sqrt(self.dim))


@numba.njit(cache=True)
def _fill_signs(block, first, key):  # pragma: no cover (compiled)
    rows, dim = block.shape
    low = np.uint64(0xFFFFFFFF)
    words = np.empty(4, np.uint64)
    for r in range(rows):
        row = np.uint64(first + r)
        for group in range((dim + 127) // 128):
            words[:] = philox_words(row & low, row >> np.uint64(32), np.uint64(group), np.uint64(0), key)
            for j in range(128 * group, min(128 * group + 128, dim)):
                bit = (words[(j // 32) % 4] >> np.uint64(j % 32)) & np.uint64(1)
                block[r, j] = 1.0 - 2.0 * bit
