"""Whether a user's files have changed: by sizes and times, and where only times differ by contents.

Snakemake looks for files that are newer than what was made of them; one that was moved over another keeps its time.

Light on purpose (standard library): the workflow asks at its start.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

STAMP, KNOWN = "stamp", "files.json"


def stamped(places: Sequence[str | os.PathLike], beside: Path) -> Path:
    """Return a file that is written anew when some files, or those of some folders, have changed, and never else.

    A new time of a file alone is no change where `remember` has seen its contents. Hidden files in folders do not
    count.

    Args:
        places: files and folders of the user's own.
        beside: folder for the stamp, and for what is known of the files.
    """
    known = _read(beside / KNOWN)
    now = {str(path): [stat.st_size, stat.st_mtime_ns] for path, stat in _files(places)}
    same = {path for path, [size, time] in now.items() if path in known and _is_same(path, size, time, known[path])}
    if same != set(now) or set(now) != set(known) or not (beside / STAMP).exists():
        digest = hashlib.sha256(json.dumps(now, sort_keys=True).encode()).hexdigest()
        _write(beside / STAMP, digest + "\n")
    found = {path: [*stat, known[path][2] if path in same else None] for path, stat in now.items()}
    if found != known:
        _write(beside / KNOWN, json.dumps(found))
    return beside / STAMP


def remember(beside: Path) -> None:
    """Take down the contents of all files that `stamped` has seen, for whoever has just read them."""
    known = _read(beside / KNOWN)
    for path, entry in known.items():
        if entry[2] is None and Path(path).is_file():
            entry[2] = _digest(path)
    _write(beside / KNOWN, json.dumps(known))


def _is_same(path: str, size: int, time: int, known: list) -> bool:
    if size != known[0]:
        return False
    return time == known[1] or (known[2] is not None and _digest(path) == known[2])


def _files(places: Sequence[str | os.PathLike]) -> Iterator[tuple[Path, os.stat_result]]:
    for named in (Path(place).expanduser() for place in places):
        if named.is_file():
            yield named, named.stat()
        for place, inner, names in os.walk(named, followlinks=True):  # of a file none
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in sorted(name for name in names if not name.startswith(".")):
                path = Path(place, name)
                if path.exists():  # a link may lead nowhere
                    yield path, path.stat()


def _digest(path: str) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _read(path: Path) -> dict[str, list]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    os.replace(temporary, path)
