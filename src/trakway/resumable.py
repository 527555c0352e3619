"""Arrays that are written block by block and survive a kill: a half-written block is done again."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from trakway import resources
from trakway.files import read_json, write_json
from trakway.progress import track

Block = slice | tuple[int | slice, ...]


def fill_arrays(
    paths: Sequence[str | os.PathLike],
    shapes: Sequence[tuple[int, ...]],
    blocks: Sequence[Block],
    compute: Callable[[Block], Sequence[np.ndarray]],
    fingerprint: str,
    what: str,
) -> dict:
    """Fill float32 ``.npy`` files block by block, continuing where an earlier process stopped.

    The arrays grow under temporary names beside ``paths`` and get their own names when all are complete. Blocks are
    recorded as finished after their bytes have reached the disk.

    Args:
        paths: the files, filled together.
        shapes: their shapes.
        blocks: the blocks in order, each an index such as ``(member, slice(0, 64))``; after an interruption with other
            blocks the work begins anew.
        compute: returns the block's values, one array a file.
        fingerprint: identifies what is computed; finished blocks of another fingerprint are not used.
        what: name of the work in the progress display.

    Returns:
        The cost of all blocks (see `trakway.resources`), those of earlier processes included.
    """
    paths = [Path(path) for path in paths]
    partial = [path.with_name(f".{path.stem}.partial.npy") for path in paths]
    record_path = paths[0].with_name(f".{paths[0].stem}.partial.json")
    plan = [fingerprint, [list(shape) for shape in shapes], [repr(block) for block in blocks]]
    record = {"plan": plan, "done": 0, "cost": resources.add()}
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    if all(path.exists() for path in partial):
        earlier = _read_record(record_path)
        if earlier and earlier["plan"] == plan:
            record = earlier
    if not record["done"]:
        # Before the blocks that it speaks of are overwritten.
        record_path.unlink(missing_ok=True)
    mode = "r+" if record["done"] else "w+"
    arrays = [
        np.lib.format.open_memmap(path, mode=mode, dtype=np.float32, shape=tuple(shape))
        for path, shape in zip(partial, shapes, strict=True)
    ]
    done = record["done"]
    for block in track(blocks[done:], what, done=done):
        with resources.measured() as cost:
            for array, values in zip(arrays, compute(block), strict=True):
                array[block] = values
                array.flush()
        record["done"], record["cost"] = record["done"] + 1, resources.add(record["cost"], cost)
        write_json(record_path, record)
    del arrays
    for source, path in zip(partial, paths, strict=True):
        os.replace(source, path)
    record_path.unlink(missing_ok=True)
    return record["cost"]


def _read_record(path: Path) -> dict | None:
    """Return the record of an earlier process, None where there is none or it cannot be read."""
    try:
        return read_json(path)
    except (FileNotFoundError, ValueError):
        return None


def row_blocks(rows: int, size: int) -> list[slice]:
    """Cut ``range(rows)`` into slices of ``size`` rows; the last one may be shorter."""
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
