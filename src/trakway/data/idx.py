"""The IDX format of the MNIST family, plain or gzip'ed.

Two zero bytes, one byte for the element type, one for the number of axes, a big-endian 32-bit length for each axis,
then the elements in C order, big-endian. (http://yann.lecun.com/exdb/mnist)
"""

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

from trakway.errors import UserError
from trakway.storage.files import replacing

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class DamagedFile(UserError):
    """A data file is there but cannot be what it claims to be."""


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Read an IDX file, gzip'ed or not (told by its first bytes, not by its name).

    Returns:
        The array in native byte order, read-only.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedFile: the gzip stream is cut off or fails its checksum, the magic number is not IDX, or the number of
            bytes is not what the header says.
    """
    path = Path(path)
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DamagedFile(f"{path}: the gzip data are cut off or damaged ({error}); fetch it again") from error
    magic, axes = raw[:3], raw[3] if len(raw) > 3 else 0
    if len(raw) < 4 + 4 * axes or axes == 0 or magic[:2] != b"\0\0" or magic[2] not in TYPES:
        raise DamagedFile(f"{path}: not an IDX file (it begins with {raw[:4].hex(' ')}, expected 00 00 <type> <axes>)")
    shape = tuple(int(length) for length in np.frombuffer(raw, ">u4", axes, 4))
    dtype = np.dtype(TYPES[magic[2]])
    expected, found = math.prod(shape) * dtype.itemsize, len(raw) - 4 - 4 * axes
    if expected != found:
        raise DamagedFile(f"{path}: the header announces {expected} bytes for shape {shape}, the file holds {found}")
    array = np.frombuffer(raw, dtype, offset=4 + 4 * axes).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def write_idx(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write ``array`` as a gzip'ed IDX file.

    The gzip header carries neither time nor name: the bytes depend on the array (and the version of zlib) alone.

    Args:
        path: where to write.
        array: uint8, int8, int16, int32, float32 or float64, with at least one axis.
    """
    stored = array.astype(array.dtype.newbyteorder(">"), copy=False)
    code = next((code for code, dtype in TYPES.items() if np.dtype(dtype) == stored.dtype), None)
    if code is None or not 1 <= array.ndim <= 255:
        raise ValueError(f"IDX cannot hold {array.dtype} with {array.ndim} axes")
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(header + stored.tobytes(), compresslevel=9, mtime=0))
