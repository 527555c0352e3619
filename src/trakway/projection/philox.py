"""Philox4x32-10, the counter-based generator that defines every projection (Salmon et al., SC 2011).

Any entry of a random matrix can be computed alone: 128 bits are a pure function of a 128-bit counter and a 64-bit key.
"""

import numba
import numpy as np

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10


def philox(counter: np.ndarray, key: int) -> np.ndarray:
    """Return 4 random 32-bit words for each counter: the reference, in plain NumPy.

    Args:
        counter: uint32, shape (..., 4).
        key: 64 bits.
    """
    x0, x1, x2, x3 = (counter[..., i].astype(np.uint64) for i in range(4))
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(ROUNDS):
        p0, p1 = x0 * np.uint64(MULTIPLIERS[0]), x2 * np.uint64(MULTIPLIERS[1])
        x0, x1, x2, x3 = (p1 >> shift) ^ x1 ^ np.uint64(k0), p1 & low, (p0 >> shift) ^ x3 ^ np.uint64(k1), p0 & low
        k0, k1 = (k0 + WEYL[0]) & 0xFFFFFFFF, (k1 + WEYL[1]) & 0xFFFFFFFF
    return np.stack([x0, x1, x2, x3], axis=-1).astype(np.uint32)


@numba.njit(inline="always")
def philox_words(c0, c1, c2, c3, key):  # pragma: no cover (compiled)
    """The same for one counter inside compiled loops: 64-bit unsigned arguments, four words as uint64."""
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    k0 = key & low
    k1 = key >> shift
    for _ in range(ROUNDS):
        p0 = c0 * np.uint64(0xD2511F53)
        p1 = c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (p1 >> shift) ^ c1 ^ k0, p1 & low, (p0 >> shift) ^ c3 ^ k1, p0 & low
        k0 = (k0 + np.uint64(0x9E3779B9)) & low
        k1 = (k1 + np.uint64(0xBB67AE85)) & low
    return c0, c1, c2, c3


@numba.njit
def philox_lanes(words, row, group, key):  # pragma: no cover (compiled)
    """The same for counters (row mod 2³², row div 2³², group, lane), lane = 0, 1...: uint64 words (4, lanes).

    Round by round over all lanes, which the compiler turns into vectors.
    """
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0, c1, c2, c3 = words[0], words[1], words[2], words[3]
    for lane in range(words.shape[1]):
        c0[lane], c1[lane] = np.uint64(row) & low, np.uint64(row) >> half
        c2[lane], c3[lane] = group, lane
    k0, k1 = key & low, key >> half
    for _ in range(ROUNDS):
        for lane in range(words.shape[1]):
            p0, p1 = c0[lane] * np.uint64(0xD2511F53), c2[lane] * np.uint64(0xCD9E8D57)
            x, y = (p1 >> half) ^ c1[lane] ^ k0, (p0 >> half) ^ c3[lane] ^ k1
            c0[lane], c1[lane], c2[lane], c3[lane] = x, p1 & low, y, p0 & low
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
