"""How long a piece of work takes that grows with a number of rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch

SECONDS = 0.6  # of one piece of work, beyond which none with more rows is tried
LEAST = 0.2  # for which the last one is repeated: the first of a shape compiles and allocates


@dataclass(frozen=True)
class Pace:
    """Seconds of a piece of work: ``fixed`` and so many for ``each`` row."""

    fixed: float
    each: float

    def __call__(self, rows: float) -> float:
        """Return the seconds of one piece of so many rows."""
        return self.fixed + self.each * rows


def pace(run: Callable[[int], object], wanted: int, device: str) -> Pace:
    """Time a piece of work: whole where that takes a second or two, else by how its time grows with the rows.

    Args:
        run: does the work on a number of rows.
        wanted: how many rows the workflow gives it.
        device: where it runs; on a CPU, seconds are those of the process, so that others do not count.
    """
    clock = time.process_time if device == "cpu" else time.perf_counter

    def once(rows: int) -> float:
        started = clock()
        run(rows)
        if device != "cpu":
            torch.cuda.synchronize()
        return clock() - started

    def repeated(rows: int) -> float:
        found = [once(rows)]
        while sum(found) < LEAST:
            found.append(once(rows))
        return median(found)

    rows = 1
    took = once(rows)
    while took < SECONDS / 4 and rows < wanted:
        rows = min(wanted, rows * 4)
        took = once(rows)
    if took < SECONDS:
        took = repeated(rows)
    if rows == wanted or took >= SECONDS:
        return Pace(0.0, took / rows)
    more = min(wanted, 2 * rows)
    once(more)
    each = max(0.0, repeated(more) - took) / (more - rows)
    return Pace(max(0.0, took - each * rows), each)
