"""The nonzeros of a sparse projection, listed by segment of coordinates and then by column, for the GPU's gather."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from trakway.projection.gpu.kernels import key_words, launch
from trakway.projection.gpu.schedule import segment_length

ENTRIES_AT_A_TIME = 1 << 22  # sorted at once: about 200 MB of temporary memory


@dataclass(frozen=True)
class Listing:
    """Offsets and entries.

    Attributes:
        offsets: int32 (segments, k + 1); column j of a segment has entries ``offsets[j]`` to ``offsets[j + 1]`` of it.
        entries: int16 (p·nonzeros); the low 15 bits are the coordinate's place in its segment, the high bit its sign.
    """

    offsets: Tensor
    entries: Tensor


@lru_cache(maxsize=2)
def listing(device: torch.device, parameters: int, dim: int, key: int, nonzeros: int) -> Listing:
    """Return the listing of one projection, made on the device and kept while it is one of the last two.

    It takes 2·nonzeros bytes a coordinate, and 4·k bytes a segment.
    """
    length = segment_length(dim)
    height = max(1, ENTRIES_AT_A_TIME // (length * nonzeros)) * length  # whole segments
    offsets, entries = [], []
    for first in range(0, parameters, height):
        count = min(height, parameters - first)
        columns = torch.empty(count * nonzeros, dtype=torch.int32, device=device)
        signs = torch.empty(count * nonzeros, dtype=torch.int8, device=device)
        launch(device, "sparse_entries", -(-count * nonzeros // 256), 256, [
            np.int64(first), np.int64(count), np.int32(nonzeros), np.uint32(dim), *key_words(key), columns, signs,
        ])  # fmt: skip
        part = arrange(columns, signs, dim, length, nonzeros)
        offsets.append(part.offsets)
        entries.append(part.entries)
    return Listing(torch.cat(offsets), torch.cat(entries))


def arrange(columns: Tensor, signs: Tensor, dim: int, length: int, nonzeros: int) -> Listing:
    """List entries by segment and column, in the order of their coordinates within a column.

    Args:
        columns: int32 (count·nonzeros), the entries of coordinate 0, then of coordinate 1, and so on.
        signs: int8, +1 or -1, alike.
        dim: k.
        length: coordinates of a segment.
        nonzeros: entries of a coordinate.
    """
    place = torch.arange(len(columns), device=columns.device) // nonzeros
    segments = -(-len(columns) // (nonzeros * length))
    bucket = place // length * dim + columns
    order = torch.sort(bucket, stable=True).indices
    entries = (place[order] % length - 0x8000 * (signs[order] < 0)).to(torch.int16)
    offsets = torch.zeros(segments, dim + 1, dtype=torch.int32, device=columns.device)
    offsets[:, 1:] = torch.bincount(bucket, minlength=segments * dim).view(segments, dim).cumsum(1)
    return Listing(offsets, entries)
