"""Short digests that say what a piece of work depends on."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np


def fingerprint(*parts) -> str:
    """Return a hex digest of JSON-like values and arrays, in order."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(str((part.dtype, part.shape)).encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(json.dumps(part, sort_keys=True).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def file_digest(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file, or of a folder: that of what ``sha256sum`` says of its files, sorted by name.

    The names of a folder's files are relative to it, with subfolders and ``/`` between.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file())
        lines = [f"{file_digest(file)}  {name}\n" for name, file in files]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def data_digest(folder: str | os.PathLike) -> str:
    """Return a digest of a prepared data set: its table holds a checksum of every example.

    Of encoded examples the description counts too: it says with which settings and weights they were encoded.
    """
    files = [Path(folder) / name for name in ("examples.parquet", "meta.json", "encoding.json")]
    return fingerprint([file_digest(file) for file in files if file.exists()])


def code_digest(files: Iterable[str | os.PathLike]) -> str:
    """Return a digest of source files: of their names and contents, wherever they lie."""
    return fingerprint(sorted([Path(file).name, file_digest(file)] for file in files))
