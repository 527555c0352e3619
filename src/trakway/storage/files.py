"""Files that are written whole or not at all."""

import glob
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` once the block ends without an error.

    The temporary name keeps the suffix of ``path`` (writers choose the format by it) and carries the process id (two
    processes never share one). The bytes reach the disk before the rename. What killed writers of the path
    have left goes with it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
        for left in path.parent.glob(f".{glob.escape(path.stem)}.[0-9]*{glob.escape(path.suffix)}"):
            if left.name.removeprefix(f".{path.stem}.").removesuffix(path.suffix).isdecimal():
                left.unlink(missing_ok=True)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | os.PathLike, value) -> None:
    """Write ``value`` as indented JSON with sorted keys."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


def read_json(path: str | os.PathLike):
    """Read a JSON file."""
    return json.loads(Path(path).read_text())


def write_array(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write ``array`` as ``.npy``, never pickled."""
    with replacing(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def read_array(path: str | os.PathLike) -> np.ndarray:
    """Map a ``.npy`` file into memory, read-only."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


def write_table(path: str | os.PathLike, table: pd.DataFrame) -> None:
    """Write ``table`` without its index as Parquet or CSV, by the suffix of ``path``."""
    with replacing(path) as temporary:
        if temporary.suffix == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, index=False)


def read_table(path: str | os.PathLike) -> pd.DataFrame:
    """Read a Parquet or CSV table, by the suffix of ``path``."""
    return pd.read_parquet(path) if Path(path).suffix == ".parquet" else pd.read_csv(path)
