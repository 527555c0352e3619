"""What a benchmark's table tells of the run that made it."""

import json
import platform
import resource
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path


def processor() -> str:
    """Return the processor's name."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} x {len(names)}" if names else platform.processor()


def peak_mb() -> float:
    """Return the largest resident size so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def alone(case: list) -> dict:
    """Return what this script prints, as JSON in its last line, for ``--one CASE`` in a process of its own."""
    command = [sys.executable, sys.argv[0], "--one", json.dumps(case)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def least(cases: list[tuple], run: Callable[[tuple], dict]) -> dict[tuple, dict]:
    """Run every case three times in turn, and return of each the result of the fewest ``cpu_seconds``, in order."""
    results = {}
    for case in 3 * cases:
        result = run(case)
        results[case] = min(results.get(case, result), result, key=lambda one: one["cpu_seconds"])
    return results


def made(*packages: str, note: str = "") -> dict[str, str]:
    """Return the columns processor, versions (of ``packages``), command and note."""
    return {
        "processor": processor(),
        "versions": ", ".join(f"{name} {version(name)}" for name in packages),
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "note": note,
    }
