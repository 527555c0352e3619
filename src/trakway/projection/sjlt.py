"""The sparse Johnson-Lindenstrauss transform (Kane and Nelson, J. ACM 2014): s entries ±1/√s in each row of P.

Entry l of row i comes from ``w = philox(counter=(i mod 2³², i div 2³², l, 1), key)``: it stands in column
``(w[0]·k) div 2³²`` and is negative where the lowest bit of ``w[1]`` is set. Entries that fall together add up.
"""

import math

import numba
import numpy as np
import torch
from torch import Tensor

from trakway.errors import UserError
from trakway.projection.base import Projection
from trakway.projection.philox import philox_words


class SJLT(Projection):
    """Sparse projection; its cost does not grow with k."""

    def __init__(self, parameters: int, dim: int, key: int, nonzeros: int = 1):
        super().__init__(parameters, dim)
        if not 1 <= nonzeros <= dim:
            raise UserError(f"projection.nonzeros: found {nonzeros}, allowed: 1 to projection.dim = {dim}")
        self.nonzeros = nonzeros
        self.columns = np.empty((nonzeros, parameters), np.int32)
        self.signs = np.empty((nonzeros, parameters), np.float32)
        _fill(self.columns, self.signs, dim, np.uint64(key))
        self._on_device = None

    def __call__(self, gradients: Tensor) -> Tensor:
        if gradients.device.type == "cpu":
            features = np.zeros((len(gradients), self.dim), np.float32)
            _scatter(features, gradients.contiguous().numpy(), self.columns, self.signs)
            features = torch.from_numpy(features)
        else:
            features = self._gpu(gradients)
        return features.mul_(1 / math.sqrt(self.nonzeros))

    def _gpu(self, gradients: Tensor) -> Tensor:
        if self._on_device is None:
            # A sparse matrix product sums in a fixed order; index_add_ on a GPU would not.
            rows = np.tile(np.arange(self.parameters), self.nonzeros)
            index = torch.from_numpy(np.stack([self.columns.ravel(), rows]))
            matrix = torch.sparse_coo_tensor(index, torch.from_numpy(self.signs.ravel()), (self.dim, self.parameters))
            self._on_device = matrix.coalesce().to_sparse_csr().to(gradients.device)
        return (self._on_device @ gradients.T).T.contiguous()


@numba.njit(cache=True)
def _fill(columns, signs, dim, key):  # pragma: no cover (compiled)
    low = np.uint64(0xFFFFFFFF)
    for entry in range(columns.shape[0]):
        for i in range(columns.shape[1]):
            row = np.uint64(i)
            w = philox_words(row & low, row >> np.uint64(32), np.uint64(entry), np.uint64(1), key)
            columns[entry, i] = (w[0] * np.uint64(dim)) >> np.uint64(32)
            signs[entry, i] = 1.0 - 2.0 * (w[1] & np.uint64(1))


@numba.njit(cache=True)
def _scatter(features, gradients, columns, signs):  # pragma: no cover (compiled)
    rows, parameters = gradients.shape
    # Four gradients at a time: the additions of one wait for each other where columns repeat, those of four overlap.
    for b in range(0, rows - rows % 4, 4):
        f0, f1, f2, f3 = features[b], features[b + 1], features[b + 2], features[b + 3]
        g0, g1, g2, g3 = gradients[b], gradients[b + 1], gradients[b + 2], gradients[b + 3]
        for entry in range(columns.shape[0]):
            for i in range(parameters):
                j, sign = columns[entry, i], signs[entry, i]
                f0[j] += sign * g0[i]
                f1[j] += sign * g1[i]
                f2[j] += sign * g2[i]
                f3[j] += sign * g3[i]
    for b in range(rows - rows % 4, rows):
        for entry in range(columns.shape[0]):
            for i in range(parameters):
                features[b, columns[entry, i]] += signs[entry, i] * gradients[b, i]
