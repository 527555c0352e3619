"""The definition of the projections, row by row in NumPy: obviously right and slow; the tests' yardstick."""

import numpy as np

from trakway.projection.philox import philox


def rademacher_signs(i: int, dim: int, key: int) -> np.ndarray:
    """Return row i of √k·P, ±1, of the dense projection: int64 (k,)."""
    j = np.arange(dim)
    unit, r, group, c = i // 32, i % 32, j // 128, j % 128
    lane = 4 * (c % 8) + (r % 8) // 2
    s, h, e, t = r // 16, (r // 8) % 2, r % 2, c // 8
    counter = np.stack([np.full(dim, unit % 2**32), np.full(dim, unit // 2**32), group, lane], 1)
    word = philox(counter.astype(np.uint32), key)[:, 2 * s + h].astype(np.int64)
    return 1 - 2 * (word >> (t + 16 * e) & 1)


def sjlt_entries(i: int, dim: int, key: int, nonzeros: int) -> list[tuple[int, int]]:
    """Return (column, sign) of the s entries of row i of the sparse projection; equal columns add up."""
    counter = np.array([[i % 2**32, i // 2**32, entry, 1] for entry in range(nonzeros)], np.uint32)
    return [(int(w[0]) * dim // 2**32, -1 if w[1] & 1 else 1) for w in philox(counter, key)]


def matrix(kind: str, rows: range, dim: int, key: int, nonzeros: int = 1) -> np.ndarray:
    """Return the given rows of P, float64 (len(rows), k); kind: rademacher or sjlt."""
    out = np.zeros((len(rows), dim))
    for n, i in enumerate(rows):
        if kind == "rademacher":
            out[n] = rademacher_signs(i, dim, key)
        else:
            for column, sign in sjlt_entries(i, dim, key, nonzeros):
                out[n, column] += sign
    return out / np.sqrt(dim if kind == "rademacher" else nonzeros)


def factored_matrix(shapes: list[tuple[int, ...]], dim: int, keys: list[int]) -> np.ndarray:
    """Return all of P of the factored projection, float64 (p, k)."""
    small = max(size for size in range(1, dim + 1) if dim % size == 0 and size * size <= dim)
    large = dim // small
    blocks, o, i, n = [], 0, 0, 0  # the next row of the outputs' signs, of the inputs', and of the others' matrix
    for shape in shapes:
        if len(shape) == 2:
            outward = np.array([rademacher_signs(o + row, small, keys[0]) for row in range(shape[0])])
            inward = np.array([rademacher_signs(i + row, large, keys[1]) for row in range(shape[1])])
            blocks.append(np.kron(outward, inward) / np.sqrt(dim))
            o, i = o + shape[0], i + shape[1]
        else:
            blocks.append(matrix("sjlt", range(n, n + shape[0]), dim, keys[2]))
            n += shape[0]
    return np.concatenate(blocks)
