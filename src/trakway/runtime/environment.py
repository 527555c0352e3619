"""The environment of a workflow's jobs."""

import os
import sys
from pathlib import Path


def set_for_jobs(source: Path) -> None:
    """Make this process's children run the library in ``source``, whatever is installed, with this interpreter."""
    _put_first("PYTHONPATH", str(source))
    _put_first("PATH", str(Path(sys.executable).parent))


def _put_first(variable: str, entry: str) -> None:
    entries = [part for part in os.environ.get(variable, "").split(os.pathsep) if part and part != entry]
    os.environ[variable] = os.pathsep.join([entry, *entries])
