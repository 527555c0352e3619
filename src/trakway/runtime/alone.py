"""One run at a time in a folder, by a lock that goes with the process that holds it, however it ends.

Snakemake's own locks are files that a killed run leaves behind, and of two runs in one folder the first to end removes
those of both. This lock is the kernel's: whoever holds it lives. A run waits for another, and for jobs that a killed
one has left at work; then it removes what is left of Snakemake's locks.
"""

import contextlib
import fcntl
import functools
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

JOBS = "TRAKWAY_JOBS"
"""The environment variable by which jobs learn which file's lock they share."""

POLL_SECONDS = 1.0

_shared: list[IO] = []  # a lock lives as long as its file object


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Run the block as the only run of a folder; waits for others, and says so.

    Args:
        folder: ``.snakemake`` of the working directory.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = folder / "trakway.jobs"
    with open(folder / "trakway.run", "a+") as own:
        if not _lock(own, "the run of {who} works in this folder; waiting until it has ended"):
            yield  # a file system without locks: Snakemake's own have to do
            return
        own.seek(0)
        before = _read(own)
        with open(jobs, "a+") as theirs:
            _lock(theirs, "jobs of a run that was killed still work in this folder; waiting until they have ended")
        if before and before.get("host") == socket.gethostname():
            for left in (folder / "locks").glob("*.lock"):
                left.unlink()
        _write(own, {"host": socket.gethostname(), "pid": os.getpid(), "command": " ".join(sys.argv)})
        os.environ[JOBS] = str(jobs.absolute())
        try:
            yield
        finally:
            _write(own, None)


def within(context: Callable, function: Callable) -> Callable:
    """Return a function that runs in a context, a manager which is called with its arguments."""

    @functools.wraps(function)
    def run(*given, **named):
        with context(*given, **named):
            return function(*given, **named)

    return run


def join() -> None:
    """Share the lock of the jobs of a run, if this process is one: the next run then waits until it has ended."""
    if path := os.environ.get(JOBS):
        with contextlib.suppress(OSError):
            handle = open(path, "a+")  # noqa: SIM115 (held until the process ends)
            _shared.append(handle)
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)


def _lock(handle: IO, otherwise: str) -> bool:
    """Wait for the lock of a file; returns whether the file system has such."""
    said = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if not said:
                handle.seek(0)
                who = _read(handle) or {}
                print(otherwise.format(who=f"process {who.get('pid', '?')}"), file=sys.stderr, flush=True)
                said = True
            time.sleep(POLL_SECONDS)
        except OSError:
            return False


def _read(handle: IO) -> dict | None:
    with contextlib.suppress(ValueError, OSError):
        return json.loads(handle.read())
    return None


def _write(handle: IO, value: dict | None) -> None:
    handle.seek(0)
    handle.truncate()
    if value is not None:
        json.dump(value, handle)
    handle.flush()
    os.fsync(handle.fileno())  # on the disk before Snakemake's locks are
