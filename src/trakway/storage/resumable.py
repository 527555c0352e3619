"""Arrays that are written block by block and survive a kill: a half-written block is done again."""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trakway.runtime import resources
from trakway.runtime.progress import track
from trakway.storage.files import read_json, write_json
from trakway.storage.room import reserve

SAVE_SECONDS = 2.0  # of work that a kill may cost; each saving waits for the disk

Block = slice | tuple[int | slice, ...]


@dataclass(frozen=True)
class Part:
    """Arrays that are filled together.

    Attributes:
        paths: the files, ``.npy``.
        shapes: their shapes.
        blocks: indices in order, each such as ``(member, slice(0, 64))``.
        compute: returns the values of a block, one array a file.
        dtype: of all the files, or of each.
    """

    paths: Sequence[Path]
    shapes: Sequence[tuple[int, ...]]
    blocks: Sequence[Block]
    compute: Callable[[Block], Sequence[np.ndarray]]
    dtype: type | Sequence[type] = np.float32

    @property
    def dtypes(self) -> Sequence[type]:
        """Of each file."""
        return self.dtype if isinstance(self.dtype, Sequence) else [self.dtype] * len(self.paths)


def fill_arrays(parts: Sequence[Part], fingerprint: str, what: str) -> dict:
    """Fill arrays block by block, part after part, continuing where an earlier process stopped.

    The arrays grow under temporary names beside their paths and get their own names when all are complete.

    Args:
        parts: what to fill; after an interruption with other parts the work begins anew.
        fingerprint: identifies what is computed; finished blocks of another fingerprint are not used.
        what: name of the work in the progress display.

    Returns:
        The cost of all blocks (see `trakway.runtime.resources`), those of earlier processes included.

    Raises:
        UserError: the disk has not room for the arrays.
    """
    files = [
        (_partial(path), path, tuple(shape), dtype)
        for part in parts
        for path, shape, dtype in zip(part.paths, part.shapes, part.dtypes, strict=True)
    ]
    steps = [(index, block) for index, part in enumerate(parts) for block in part.blocks]
    plan = [
        fingerprint,
        [[path.name, list(shape), np.dtype(dtype).name] for _, path, shape, dtype in files],
        [repr(step) for step in steps],
    ]
    record_path = files[0][1].with_name(f".{files[0][1].stem}.partial.json")
    record_path.parent.mkdir(parents=True, exist_ok=True)
    record = _earlier(record_path, plan, [partial for partial, *_ in files])
    mode = "r+" if record["done"] else "w+"
    arrays = [
        np.lib.format.open_memmap(partial, mode=mode, dtype=dtype, shape=shape) for partial, _, shape, dtype in files
    ]
    if mode == "w+":
        for partial, *_ in files:
            reserve(partial)
    first = np.cumsum([0, *(len(part.paths) for part in parts)])
    last_saved = time.monotonic()
    for index, block in track(steps[record["done"] :], what, done=record["done"]):
        with resources.measured() as cost:
            values = parts[index].compute(block)
            for array, value in zip(arrays[first[index] : first[index + 1]], values, strict=True):
                array[block] = value
        record["done"], record["cost"] = record["done"] + 1, resources.add(record["cost"], cost)
        if time.monotonic() - last_saved > SAVE_SECONDS:
            _save(arrays, record, record_path)
            last_saved = time.monotonic()
    _save(arrays, record, record_path)
    del arrays
    for partial, path, *_ in files:
        os.replace(partial, path)
    record_path.unlink()
    return record["cost"]


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.stem}.partial.npy")


def _earlier(path: Path, plan: list, partial: Sequence[Path]) -> dict:
    """Return the record of an interrupted process if it did the same work and its files are there, else a fresh one."""
    if path.exists() and all(file.exists() for file in partial):
        with contextlib.suppress(ValueError):  # a damaged record is none
            record = read_json(path)
            if record["plan"] == plan:
                return record
    path.unlink(missing_ok=True)  # before the blocks that it speaks of are overwritten
    return {"plan": plan, "done": 0, "cost": resources.add()}


def _save(arrays: Sequence[np.memmap], record: dict, record_path: Path) -> None:
    """Record blocks as finished once their bytes are on the disk."""
    for array in arrays:
        array.flush()
    write_json(record_path, record)


def row_blocks(rows: int, size: int) -> list[slice]:
    """Cut ``range(rows)`` into slices of ``size`` rows; the last one may be shorter."""
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
