"""The sparse Johnson-Lindenstrauss transform (Kane and Nelson, J. ACM 2014): s entries ±1/√s in each row of P.

Entry l of row i comes from ``w = philox(counter=(i mod 2³², i div 2³², l, 1), key)``: it stands in column
``(w[0]·k) div 2³²`` and is negative where the lowest bit of ``w[1]`` is set. Entries that fall together add up.

On a CPU, 16 gradients are projected together, one a lane: each entry is one vector addition.
"""

import math
from collections.abc import Iterable

import numba
import numpy as np
import torch
from torch import Tensor

from trakway.errors import UserError
from trakway.projection import gpu
from trakway.projection.base import Projection
from trakway.projection.lanes import LANES, add_scaled, load_lanes, store_lanes
from trakway.projection.philox import philox_words

KEPT = 1 << 22  # entries of P that are kept between calls (32 MB); with more, blocks are made again each time
BLOCK = 1 << 18  # coordinates a block, at most: their gradients stay in no cache, their sums do
SLAB = 1 << 10  # coordinates turned into lanes at a time: 64 KB
DEPTH = 256  # additions to one float32 sum, on average, before it goes to a float64 total


class SJLT(Projection):
    """Sparse projection; its arithmetic does not grow with k."""

    takes_parts = True

    def __init__(self, parameters: int, dim: int, key: int, nonzeros: int = 1, precision: str = "float32"):
        super().__init__(parameters, dim, precision)
        if not 1 <= nonzeros <= dim:
            raise UserError(f"projection.nonzeros: found {nonzeros}, allowed: 1 to projection.dim = {dim}")
        self.nonzeros = nonzeros
        self.key = key
        self._kept = None

    def entries(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Return columns (int32) and signs (float32 ±1) of rows ``start`` to ``stop``: shape (s, stop - start)."""
        if self._kept is None and self.nonzeros * self.parameters <= KEPT:
            self._kept = self._make(0, self.parameters)
        if self._kept is not None:
            return tuple(kept[:, start:stop] for kept in self._kept)
        return self._make(start, stop)

    def _make(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        columns = np.empty((self.nonzeros, stop - start), np.int32)
        signs = np.empty(columns.shape, np.float32)
        _fill(columns, signs, start, self.dim, np.uint64(self.key))
        return columns, signs

    @property
    def height(self) -> int:
        """Coordinates whose float32 sums are added up before they go to a float64 total."""
        return max(SLAB, min(BLOCK, DEPTH * self.dim))

    def __call__(self, gradients: Tensor) -> Tensor:
        if gradients.device.type == "cpu":
            features = self.sum_blocks(gradients, self.height, self._multiply)
        elif gpu.usable():
            return gpu.sjlt(self.narrowed(gradients), self.dim, self.key, self.nonzeros, check=False)
        else:
            features = self._by_blocks(gradients)
        return features.mul_(1 / math.sqrt(self.nonzeros))

    def of_parts(self, examples: int, parts: Iterable[tuple[int, Tensor]]) -> Tensor:
        sums = np.zeros((-(-examples // LANES), self.dim, LANES), np.float32)
        product = np.empty((examples, self.dim), np.float32)
        total, block = None, 0
        for start, gradients in parts:
            gradients = self.rounded(gradients)
            gradients = gradients if gradients.stride(1) == 1 else gradients.contiguous()
            while gradients.shape[1]:
                if start // self.height != block:  # as a product with all gradients would add up
                    _unload(product, sums)
                    total = product + (np.zeros(product.shape) if total is None else total)
                    sums[:], block = 0, start // self.height
                some = gradients[:, : (block + 1) * self.height - start]
                _load(sums, some.numpy(), *self.entries(start, start + some.shape[1]))
                start, gradients = start + some.shape[1], gradients[:, some.shape[1] :]
            gradients = some = None  # freed before the next part is made
        _unload(product, sums)
        features = product if total is None else (total + product).astype(np.float32)
        return torch.from_numpy(features).mul_(1 / math.sqrt(self.nonzeros))

    def _multiply(self, product: np.ndarray, block: np.ndarray, start: int) -> None:
        _scatter(product, block, *self.entries(start, start + block.shape[1]))

    def _by_blocks(self, gradients: Tensor) -> Tensor:
        features = torch.zeros(len(gradients), self.dim, device=gradients.device)
        for start in range(0, self.parameters, KEPT):
            block = self.rounded(gradients[:, start : start + KEPT])
            columns, signs = self.entries(start, start + block.shape[1])
            # A sparse matrix product sums in a fixed order; index_add_ on a GPU would not.
            rows = np.tile(np.arange(block.shape[1]), self.nonzeros)
            index = torch.from_numpy(np.stack([columns.ravel(), rows]))
            matrix = torch.sparse_coo_tensor(index, torch.from_numpy(signs.ravel()), (self.dim, block.shape[1]))
            features += (matrix.coalesce().to_sparse_csr().to(gradients.device) @ block.T).T
        return features


@numba.njit(cache=True)
def _fill(columns, signs, start, dim, key):  # pragma: no cover (compiled)
    low = np.uint64(0xFFFFFFFF)
    for entry in range(columns.shape[0]):
        for i in range(columns.shape[1]):
            row = np.uint64(start + i)
            w = philox_words(row & low, row >> np.uint64(32), np.uint64(entry), np.uint64(1), key)
            columns[entry, i] = (w[0] * np.uint64(dim)) >> np.uint64(32)
            signs[entry, i] = 1.0 - 2.0 * (w[1] & np.uint64(1))


@numba.njit
def _add(sums, values, gradients, tile, columns, signs):  # pragma: no cover (compiled)
    """Add what the 16 gradients from line ``tile`` on give to sums (k, LANES); ``values`` is room to work."""
    rows, count = gradients.shape[1], columns.shape[0]
    for start in range(0, rows, SLAB):
        stop = min(start + SLAB, rows)
        load_lanes(values, gradients, tile, start, stop - start)
        for entry in range(0, count - 1, 2):  # the values come from the cache once for two entries
            for i in range(start, stop):
                add_scaled(sums, np.int64(columns[entry, i]), values, i - start, signs[entry, i])
                add_scaled(sums, np.int64(columns[entry + 1, i]), values, i - start, signs[entry + 1, i])
        for entry in range(count - count % 2, count):
            for i in range(start, stop):
                add_scaled(sums, np.int64(columns[entry, i]), values, i - start, signs[entry, i])


@numba.njit("void(float32[:, ::1], float32[:, :], int32[:, :], float32[:, :])", cache=True)
def _scatter(product, gradients, columns, signs):  # pragma: no cover (compiled)
    """Write gradients (B, rows) times these rows of √s·P to product (B, k)."""
    sums = np.empty((product.shape[1], LANES), np.float32)
    values = np.empty((SLAB, LANES), np.float32)
    for tile in range(0, len(product), LANES):
        sums[:] = 0
        _add(sums, values, gradients, tile, columns, signs)
        store_lanes(sums, product, tile, 0, len(sums))


@numba.njit("void(float32[:, :, ::1], float32[:, :], int32[:, :], float32[:, :])", cache=True)
def _load(sums, gradients, columns, signs):  # pragma: no cover (compiled)
    """Add gradients (B, rows) times these rows of √s·P to sums (tiles, k, LANES), a tile for 16 gradients."""
    values = np.empty((SLAB, LANES), np.float32)
    for tile in range(len(sums)):
        _add(sums[tile], values, gradients, tile * LANES, columns, signs)


@numba.njit("void(float32[:, ::1], float32[:, :, ::1])", cache=True)
def _unload(product, sums):  # pragma: no cover (compiled)
    """Write what `_load` has added up to product (B, k)."""
    for tile in range(len(sums)):
        store_lanes(sums[tile], product, tile * LANES, 0, sums.shape[1])
