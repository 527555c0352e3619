"""What a benchmark's table tells of the run that made it."""

import platform
import resource
import shlex
import sys
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


def made(*packages: str, note: str = "") -> dict[str, str]:
    """Return the columns processor, versions (of ``packages``), command and note."""
    return {
        "processor": processor(),
        "versions": ", ".join(f"{name} {version(name)}" for name in packages),
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "note": note,
    }
