"""Where numbers come from: revision, versions, hardware."""

import os
import platform
import subprocess
import sys
from importlib import metadata

from trakway import __version__

PACKAGES = (
    "torch",
    "torchvision",
    "diffusers",
    "transformers",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "numba",
    "snakemake",
    "safetensors",
    "cupy-cuda13x",
)


def provenance(tier: str, settings: dict) -> dict:
    """Return a JSON-like record of the program, its environment and the settings.

    Args:
        tier: of the experiment.
        settings: complete.
    """
    return {
        "trakway": __version__,
        "revision": revision(),
        "python": sys.version.split()[0],
        "packages": versions(),
        "hardware": hardware(),
        "tier": tier,
        "settings": settings,
    }


def revision() -> dict:
    """Return the git commit of the working directory and whether tracked files differ from it; None outside git."""

    def git(*words: str) -> str | None:
        try:
            result = subprocess.run(["git", *words], capture_output=True, text=True)
        except OSError:
            return None
        return result.stdout.strip() if result.returncode == 0 else None

    changes = git("status", "--porcelain", "--untracked-files=no")
    return {"commit": git("rev-parse", "HEAD"), "changed": None if changes is None else bool(changes)}


def versions() -> dict[str, str]:
    """Return the versions of the packages that matter, those that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def computer() -> dict:
    """Return the processor and the GPU of this process; no GPU where torch is not in use, or sees none."""
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name() if torch and torch.cuda.is_available() else None
    return {"processor": _processor(), "gpu": gpu}


def hardware() -> dict:
    """Return processor, cores, memory in GiB and the GPU of this machine."""
    import torch  # noqa: F401 (who asks for the GPU)

    return computer() | {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.system(),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as handle:
            return next(line.split(":", 1)[1].strip() for line in handle if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
