"""What a piece of work costs, CPU seconds, wall seconds, peak memory, and memory that is kept between batches."""

import ctypes
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def measured() -> Iterator[dict]:
    """Yield a dict that holds, once the block has ended, ``cpu_seconds``, ``wall_seconds`` and ``peak_mb``.

    CPU seconds are of this process with all its threads; ``peak_mb`` is the largest resident size (MiB) that the
    process has had so far.
    """
    cost = {}
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield cost
    finally:
        cost["cpu_seconds"] = time.process_time() - cpu
        cost["wall_seconds"] = time.perf_counter() - wall
        cost["peak_mb"] = _peak_mb()


def _peak_mb() -> float:
    try:
        # Exact; getrusage counts what the parent process held before it became this one.
        with open("/proc/self/status") as handle:
            return next(int(line.split()[1]) for line in handle if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def add(*costs: dict) -> dict:
    """Add up costs: seconds are summed, the peak is the largest."""
    return {
        "cpu_seconds": sum(cost["cpu_seconds"] for cost in costs),
        "wall_seconds": sum(cost["wall_seconds"] for cost in costs),
        "peak_mb": max((cost["peak_mb"] for cost in costs), default=0.0),
    }


def keep_freed_memory() -> None:
    """Have the C library keep what this process frees for what it allocates next; does nothing where it is not glibc.

    Left alone it hands large blocks back to the kernel, and activations, which come and go with every batch, are page
    faults again each time: a sixth of the time in which a small UNet is evaluated.
    """
    trim_threshold, mmap_threshold = -1, -3  # M_... of malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    # Alone, the first would have every large block mapped anew. Older versions of glibc take 32 MiB at most.
    if mallopt(mmap_threshold, 2**30) or mallopt(mmap_threshold, 2**25):
        mallopt(trim_threshold, 2**31 - 1)
