"""Progress of long loops: lines for the log, and small files for whoever draws a display.

The folder named by the environment variable ``TRAKWAY_PROGRESS`` holds one JSON file for each loop tracked during a run
of the workflow, by running and finished jobs alike, and perhaps ``totals.json``. Without the variable none is written.
Progress is a courtesy: a file that cannot be written or read never stops the work.
"""

import contextlib
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

FOLDER = "TRAKWAY_PROGRESS"
FILE_SECONDS = 0.5
LINE_SECONDS = 5.0

Item = TypeVar("Item")
_loops = Counter()  # how many loops this process has tracked, by what


def track(
    iterable: Iterable[Item],
    what: str,
    total: int | None = None,
    done: int = 0,
    clock: Callable[[], float] = time.time,
) -> Iterator[Item]:
    """Yield the items of ``iterable``, reporting to stderr and to the progress folder how many are done.

    An item counts once the loop's body is through with it. Loops of the same ``what`` in several jobs are added up.

    Args:
        iterable: what is left to do.
        what: name of the work and its unit, e.g. ``"members trained"``.
        total: items in all, those already done included; by default ``done + len(iterable)`` where there is a length.
        done: items that an earlier, interrupted run has finished.
        clock: the time in seconds.
    """
    if total is None and hasattr(iterable, "__len__"):
        total = done + len(iterable)
    _loops[what] += 1
    # Named by the command line, not by the process, so that a job that is tried again replaces what it said before.
    name = hashlib.blake2b(repr((what, _loops[what], sys.argv)).encode(), digest_size=8).hexdigest() + ".json"
    started = written = printed = clock()
    report = {"what": what, "done": done, "resumed": done, "total": total, "pid": os.getpid(), "started": started}
    report |= {"updated": started, "arguments": sys.argv[1:]}
    _write(name, report)
    try:
        for item in iterable:
            yield item
            now = clock()
            report |= {"done": report["done"] + 1, "updated": now}
            if now - written >= FILE_SECONDS:
                _write(name, report)
                written = now
            if now - printed >= LINE_SECONDS:
                print(line(report), file=sys.stderr, flush=True)
                printed = now
        print(line(report), file=sys.stderr, flush=True)
    finally:
        _write(name, report)


def announce(totals: Mapping[str, int]) -> None:
    """Say how many pieces of each kind of work the whole run will do, jobs that have not started included."""
    _write("totals.json", dict(totals))


def read(folder: str | os.PathLike) -> tuple[list[dict], dict[str, int]]:
    """Return the reports of all loops, oldest first, and the announced totals (empty if there are none)."""
    reports, totals = [], {}
    for path in Path(folder).glob("[!.]*.json"):
        with contextlib.suppress(OSError, ValueError):
            content = json.loads(path.read_text())
            if path.name == "totals.json":
                totals = content
            else:
                reports.append(content)
    return sorted(reports, key=lambda report: report["started"]), totals


def line(report: Mapping) -> str:
    """Return a report in words, e.g. ``members trained 3/10, 4.2 s each, 29 s left``."""
    done, total = report["done"], report["total"]
    words = [f"{report['what']} {done}" + (f"/{total}" if total is not None else "")]
    if each := seconds_each(report):
        words.append(f"{duration(each)} each")
        if total is not None and done < total:
            words.append(f"{duration(each * (total - done))} left")
    return ", ".join(words)


def seconds_each(report: Mapping) -> float | None:
    """Return the mean seconds an item took in this run, or None before the first."""
    fresh = report["done"] - report["resumed"]
    return (report["updated"] - report["started"]) / fresh if fresh > 0 else None


def duration(seconds: float) -> str:
    """Return a time span with two figures, e.g. ``4.2 s``, ``29 s``, ``12 min``, ``3.5 h``."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.1f} min" if seconds < 9.95 * 60 else f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 9.95 * 3600 else f"{seconds / 3600:.0f} h"


def _write(name: str, value: dict) -> None:
    """Write ``value`` to the progress folder, whole or not at all."""
    if folder := os.environ.get(FOLDER):
        path = Path(folder, name)
        temporary = path.with_name(f".{name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(value))
            os.replace(temporary, path)
