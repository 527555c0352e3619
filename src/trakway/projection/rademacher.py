"""The dense projection of the TRAK paper, with ±1 entries; everything else is tested against it.

P[i, j] = ±1 / √k. With I = i div 32, r = i mod 32, J = j div 128, c = j mod 128 and
lane = 4·(c mod 8) + (r mod 8) div 2, the sign is bit ``c div 8 + 16·(r mod 2)`` of word ``r div 8`` of
``philox(counter=(I mod 2³², I div 2³², J, lane), key)``; a set bit means minus. One unit of 32 x 128 entries is thus
32 counters; the order within is that of the fragments of a GPU's matrix instruction.

On a CPU the signs are not multiplied with: those of 32 rows in one column are an index. For every 32 coordinates of
16 gradients, tables hold all signed sums of the first 5 coordinates, of the next 5..., and a feature takes one entry
of each (the "method of four Russians"): 6 additions instead of 32, in float32 without any loss.
"""

import math

import numba
import numpy as np
import torch
from torch import Tensor

from trakway.projection import gpu
from trakway.projection.base import Projection
from trakway.projection.lanes import LANES, add_and_subtract, add_entries, load_lanes, store_lanes
from trakway.projection.philox import philox_lanes

ROWS, COLUMNS = 32, 128  # of a unit
HEIGHT = 64 * ROWS  # coordinates whose signs are made at a time...
WIDTH = 16 * COLUMNS  # ...for so many features: both fit a core's cache
FIRST = (0, 5, 10, 15, 20, 26)  # each table's first bit; the tables take 16 KB together
LENGTH = (5, 5, 5, 5, 6, 6)
BASE = (0, 32, 64, 96, 128, 192)  # each table's first entry
ENTRIES = 256


class Rademacher(Projection):
    """Dense random signs, made block by block and never kept: memory is bounded at any p and k."""

    def __init__(self, parameters: int, dim: int, key: int, precision: str = "float32"):
        super().__init__(parameters, dim, precision)
        self.key = key

    def signs(self, start: int, stop: int) -> np.ndarray:
        """Return rows ``start`` to ``stop`` of √k·P: float32, shape (stop - start, k)."""
        first = start // ROWS
        units = np.empty((-(-stop // ROWS) - first, -(-self.dim // COLUMNS) * COLUMNS), np.uint32)
        _fill_units(units, first, 0, np.uint64(self.key))
        rows = np.arange(start, stop)
        bits = units[rows // ROWS - first, : self.dim] >> _bit(rows % ROWS)[:, None] & 1
        return 1 - 2 * bits.astype(np.float32)

    def __call__(self, gradients: Tensor) -> Tensor:
        if gradients.device.type == "cpu":
            features = self.sum_blocks(gradients, HEIGHT, self._multiply)
        elif gpu.usable():
            return gpu.rademacher(self.narrowed(gradients), self.dim, self.key, check=False)
        else:
            features = self._by_blocks(gradients)
        return features.mul_(1 / math.sqrt(self.dim))

    def _multiply(self, product: np.ndarray, block: np.ndarray, start: int) -> None:
        _multiply(product, block, start // ROWS, np.uint64(self.key))

    def _by_blocks(self, gradients: Tensor) -> Tensor:
        features = torch.zeros(len(gradients), self.dim, device=gradients.device)
        for start in range(0, self.parameters, HEIGHT):
            signs = torch.from_numpy(self.signs(start, min(start + HEIGHT, self.parameters)))
            features.addmm_(self.rounded(gradients[:, start : start + HEIGHT]), signs.to(gradients.device))
        return features


def _bit(row):
    """Return where row 0..31 of a unit stands in a column's 32-bit word of ``_fill_units``."""
    return row // 2 + 16 * (row % 2)


@numba.njit(cache=True)
def _fill_units(out, first, group, key):  # pragma: no cover (compiled)
    """Write the signs of units from row ``32 first`` and column ``128 group`` on: one 32-bit word a unit and column."""
    words = np.empty((4, 32), np.uint64)
    for u in range(out.shape[0]):
        for g in range(out.shape[1] // COLUMNS):
            philox_lanes(words, first + u, group + g, key)
            for m in range(8):
                for t in range(16):
                    column = np.uint64(0)
                    for n in range(16):  # row 2n is bit t, row 2n + 1 is bit t + 16 of one word
                        word = words[n // 4, 4 * m + n % 4]
                        column |= (word >> np.uint64(t) & np.uint64(0x10001)) << np.uint64(n)
                    out[u, COLUMNS * g + 8 * t + m] = column


@numba.njit(cache=True)
def _fill_tables(table, values):  # pragma: no cover (compiled)
    """Write Σ ± values for every choice of signs; doubling, one addition an entry."""
    for n in range(len(FIRST)):
        table[BASE[n]] = 0
        for b in range(LENGTH[n]):
            bit = FIRST[n] + b
            row = 2 * (bit % 16) + bit // 16
            for entry in range(1 << b):
                add_and_subtract(table, BASE[n] + entry, 1 << b, values, row)


@numba.njit("void(float32[:, ::1], float32[:, :], int64, uint64)", cache=True)
def _multiply(product, gradients, first, key):  # pragma: no cover (compiled)
    """Write gradients (B, rows) times rows ``32 first``... of √k·P to product (B, k)."""
    (batch, dim), rows = product.shape, gradients.shape[1]
    count = -(-rows // ROWS)
    units = np.empty((count, WIDTH), np.uint32)
    values = np.zeros((count * ROWS, LANES), np.float32)  # rows beyond the last stay zero
    table = np.empty((ENTRIES, LANES), np.float32)
    sums = np.empty((WIDTH, LANES), np.float32)
    for start in range(0, dim, WIDTH):
        width = min(WIDTH, dim - start)
        _fill_units(units[:, : -(-width // COLUMNS) * COLUMNS], first, start // COLUMNS, key)
        for tile in range(0, batch, LANES):
            load_lanes(values, gradients, tile, 0, rows)
            sums[:] = 0
            for u in range(count):
                _fill_tables(table, values[u * ROWS : (u + 1) * ROWS])
                for j in range(width):
                    w = np.int64(units[u, j])
                    low = w & 31, (w >> 5 & 31) + 32, (w >> 10 & 31) + 64, (w >> 15 & 31) + 96
                    add_entries(sums, j, table, low + ((w >> 20 & 63) + 128, (w >> 26) + 192))
            store_lanes(sums, product, tile, start, width)
