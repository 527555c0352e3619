"""The environment of a workflow's jobs."""

import os
import sys
from pathlib import Path

from trakway.runtime import device

DEVICE = "TRAKWAY_DEVICE"  # the environment variable by which jobs learn what was planned


def use_one_thread() -> None:
    """Let numerical libraries start no pool, where nothing else is said: the workflow runs a process a core.

    They look once, as they are imported; so this comes before.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")


def planned_device(choice: str) -> str:
    """Return where the jobs of a run compute, ``"cpu"`` or ``"cuda"``, decided once where the run was started.

    The Snakemake of a job, on a machine with more GPUs or fewer, asks again and is told the same: a job neither uses a
    GPU that it did not ask its scheduler for, nor do some jobs of a run compute on GPUs and others without.

    Args:
        choice: ``device`` of config/config.yaml; ``auto`` takes a GPU where this machine has one.
    """
    if choice == "auto":
        choice = os.environ.get(DEVICE) or ("cuda" if device.visible_gpus() else "cpu")
    os.environ[DEVICE] = choice
    return choice


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
