"""What a piece of work cost: CPU seconds, wall seconds, peak memory."""

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
