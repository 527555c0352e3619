"""The environment of a workflow's jobs."""

import os
import sys
from pathlib import Path

from trakway.runtime import device


def set_for_jobs(repository: Path, jobs_per_gpu: int) -> None:
    """Make this process's children run the library of a clone, whatever is installed, with this interpreter.

    They find its scripts by ``$TRAKWAY_SCRIPTS``, wherever they are started.
    """
    os.environ[device.PLACES] = str(jobs_per_gpu)
    os.environ["TRAKWAY_SCRIPTS"] = str(repository / "scripts")
    _put_first("PYTHONPATH", str(repository / "src"))
    _put_first("PATH", str(Path(sys.executable).parent))


def _put_first(variable: str, entry: str) -> None:
    entries = [part for part in os.environ.get(variable, "").split(os.pathsep) if part and part != entry]
    os.environ[variable] = os.pathsep.join([entry, *entries])
