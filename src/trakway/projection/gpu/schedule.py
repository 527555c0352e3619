"""Who works on what: how a product is cut into blocks of threads.

Functions of shapes and formats alone, never of the device at hand: sums have the same order, and results the same
bits, on GPUs of one architecture with any number of multiprocessors.
"""

import math
from dataclasses import dataclass

FORMATS = ("float32", "bfloat16", "float16")  # in the order of the enumeration in common.cuh
WARPS = 4  # a block of the dense kernel; as in dense.cu
BLOCKS = 2048  # wanted: several waves on any GPU, so that the last one matters little
SHORTEST_SPLIT = 2048  # coordinates: below, writing partial sums costs more than the parallelism brings
THREADS = 512  # a block of the sparse kernel; as in sparse.cu


@dataclass(frozen=True)
class Dense:
    """The dense kernel's schedule.

    Attributes:
        m: groups of 16 columns a warp works on.
        n: groups of 8 gradients a block works on.
        column_warps: warps side by side over the columns; the others split the coordinates.
        depth: coordinates a block works on between two barriers.
        stages: such steps over all coordinates; ``stages_a_split`` of them make a split of the sum.
    """

    format: int
    m: int
    n: int
    column_warps: int
    depth: int
    stages: int
    stages_a_split: int
    splits: int
    batch_tiles: int
    column_tiles: int

    @property
    def name(self) -> str:
        return f"dense<{self.format}, {self.m}, {self.n}, {self.column_warps}>"

    @property
    def reduce_name(self) -> str:
        return f"dense_reduce<{self.m}, {self.n}>"

    @property
    def blocks(self) -> int:
        return self.splits * self.batch_tiles * self.column_tiles

    @property
    def partial_sums(self) -> int:
        """How many sets of sums of all features the kernel writes."""
        return self.splits * (WARPS // self.column_warps)

    @property
    def padded_groups(self) -> int:
        """Groups of 16·m columns that have room in the workspace."""
        return self.column_tiles * self.column_warps

    @property
    def workspace(self) -> int:
        """Bytes of partial sums."""
        return self.partial_sums * self.batch_tiles * self.padded_groups * self.m * self.n * 32 * 16


# Variants (m, n, column warps) per format. A warp has registers for 128 × 32 or 64 × 64 sums. The second makes fewer
# signs a product; that matters for bfloat16 only, as the others do every product twice, and have more to keep.
_COMMON = [(8, n, w) for n, w in ((1, 1), (1, 4), (2, 1), (2, 4), (4, 4))]
VARIANTS = {"float32": _COMMON, "bfloat16": [*_COMMON, (4, 8, 4)], "float16": _COMMON}


def dense(format: str, batch: int, parameters: int, dim: int) -> Dense:
    """Return the schedule for ``batch`` gradients of ``parameters`` coordinates to ``dim`` columns."""
    column_warps = 4 if dim > 256 else 1
    if column_warps == 1:
        m, n = 8, 1 if batch <= 8 else 2
    elif batch > 32 and format == "bfloat16":
        m, n = 4, 8
    else:
        m, n = 8, 1 if batch <= 8 else 2 if batch <= 16 else 4
    depth = 64 if column_warps == 4 else 128
    stages = math.ceil(parameters / depth)
    batch_tiles = math.ceil(batch / (8 * n))
    column_tiles = math.ceil(dim / (16 * m * column_warps))
    wanted = math.ceil(BLOCKS / (batch_tiles * column_tiles))
    stages_a_split = max(math.ceil(stages / wanted), SHORTEST_SPLIT // depth)
    splits = math.ceil(stages / stages_a_split)
    number = FORMATS.index(format)
    return Dense(number, m, n, column_warps, depth, stages, stages_a_split, splits, batch_tiles, column_tiles)


@dataclass(frozen=True)
class Sparse:
    """The sparse kernel's schedule.

    Attributes:
        rows: gradients a block works on.
        length: coordinates of a segment, at most 2¹⁵.
        tile_columns: columns a block works on.
    """

    format: int
    rows: int
    length: int
    tile_columns: int
    segments: int
    segments_a_split: int
    splits: int
    batch_tiles: int
    column_tiles: int

    @property
    def name(self) -> str:
        return f"sparse<{self.format}, {self.rows}>"

    @property
    def blocks(self) -> int:
        return self.splits * self.batch_tiles * self.column_tiles

    @property
    def shared(self) -> int:
        """Bytes of shared memory: at most 80 KiB, so that two blocks fit on every data-centre GPU since sm_80."""
        return 4 * self.rows * (self.length + self.tile_columns)


def segment_length(dim: int) -> int:
    """Return the coordinates of a segment. A column should have several in a segment: the longer, the more columns."""
    if dim <= 1024:
        return 4096
    if dim <= 2048:
        return 8192
    return 16384 if dim <= 4096 else 12288


def sparse(format: str, batch: int, parameters: int, dim: int) -> Sparse:
    """Return the schedule for ``batch`` gradients of ``parameters`` coordinates to ``dim`` columns."""
    length = segment_length(dim)
    rows = 4 if dim <= 1024 else 2 if dim <= 2048 else 1
    while rows // 2 >= batch:
        rows //= 2
    tile_columns = min(dim, 8192)
    segments = math.ceil(parameters / length)
    batch_tiles, column_tiles = math.ceil(batch / rows), math.ceil(dim / tile_columns)
    segments_a_split = math.ceil(segments / math.ceil(BLOCKS / (batch_tiles * column_tiles)))
    splits = math.ceil(segments / segments_a_split)
    number = FORMATS.index(format)
    return Sparse(number, rows, length, tile_columns, segments, segments_a_split, splits, batch_tiles, column_tiles)


def all_kernels() -> list[str]:
    """Return the name of every kernel that a schedule may ask for."""
    numbers = {format: FORMATS.index(format) for format in FORMATS}
    names = [f"dense<{numbers[f]}, {m}, {n}, {w}>" for f in FORMATS for m, n, w in VARIANTS[f]]
    names += [f"dense_reduce<{m}, {n}>" for m, n in ((8, 1), (8, 2), (8, 4), (4, 8))]
    names += [f"sparse<{number}, {rows}>" for number in numbers.values() for rows in (1, 2, 4)]
    return [*names, "sparse_entries", "sparse_reduce"]
