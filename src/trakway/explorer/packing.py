"""Numbers as short text, which a page unpacks: whole numbers of few bits, decimals of four digits, base64 of bytes."""

import base64

import numpy as np

MOST = 32767  # of int16


def packed(values: np.ndarray, width: int) -> str:
    """Write whole numbers of ``width`` bits each, the highest bit first, one after the other.

    Args:
        values: from 0 to 2**width - 1, of any shape, read row by row.
        width: from 1 to 32.
    """
    places = np.arange(width - 1, -1, -1)
    return _text(np.packbits((np.ravel(values)[:, None].astype(np.int64) >> places & 1).astype(np.uint8)))


def bits(mask: np.ndarray) -> str:
    """Write truths, one bit each, row by row."""
    return packed(np.asarray(mask, bool), 1)


def width_of(count: int) -> int:
    """Return how many bits the whole numbers below ``count`` take."""
    return max(1, (count - 1).bit_length())


def decimals(values: np.ndarray) -> dict:
    """Round numbers to multiples of a power of ten, the smallest at which all fit 16 bits: four digits of the largest.

    Returns:
        ``power`` and ``data``, int16 in the order of little-endian machines: a number is data · 10**power.

    Raises:
        ValueError: a number is not finite.
    """
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("only finite numbers can be rounded")
    largest = np.abs(values).max(initial=0.0)
    power = int(np.ceil(np.log10(largest / MOST))) if largest > 0 else 0
    scaled = values * 10.0**-power if power < 0 else values / 10.0**power
    return {"power": power, "data": _text(np.rint(scaled).astype("<i2"))}


def doubles(values: np.ndarray) -> str:
    """Write float64 as they are, little-endian, row by row."""
    return _text(np.asarray(values, "<f8"))


def singles(values: np.ndarray) -> str:
    """Write float32, little-endian, row by row."""
    return _text(np.asarray(values, "<f4"))


def _text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
