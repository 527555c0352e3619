"""Choose the device of a process, before torch is imported.

Snakemake counts GPUs but tells no job which one is its own. So each job claims a place on one with a lock file, which
the operating system frees when the process ends, however it ends. A GPU has one place, or ``jobs_per_gpu`` of
config/config.yaml: small models leave most of it idle. Under SLURM the scheduler has already assigned the GPU.
"""

import fcntl
import itertools
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from trakway.errors import UserError

CHOICES = ("auto", "cpu", "cuda")
PLACES = "TRAKWAY_JOBS_PER_GPU"  # the environment variable by which jobs learn how many of them share a GPU
_held = []  # open lock files: a lock lives as long as its file object


def visible_gpus() -> list[str]:
    """Return the ids of this machine's NVIDIA GPUs, as ``CUDA_VISIBLE_DEVICES`` names them; empty without a driver.

    The variable can only hide GPUs that are there; as for CUDA, it ends at the first entry that is none of them.
    """
    there = _listed()
    if "CUDA_VISIBLE_DEVICES" not in os.environ:
        return [str(number) for number in range(len(there))]
    named = map(str.strip, os.environ["CUDA_VISIBLE_DEVICES"].split(","))

    def known(gpu: str) -> bool:
        if gpu.isdigit():
            return int(gpu) < len(there)
        return bool(re.match("(GPU|MIG)-", gpu)) and any(f"UUID: {gpu}" in text for text in there)

    return list(itertools.takewhile(known, named))


def _listed() -> list[str]:
    """Return what nvidia-smi says of each GPU, with the lines of its parts; empty where it does not answer."""
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if listing.returncode != 0:
        return []
    return re.findall(r"^GPU .*\n(?:(?!GPU ).*\n?)*", listing.stdout, re.MULTILINE)


def claim(choice: str = "auto", poll_seconds: float = 1.0) -> str:
    """Return ``"cpu"`` or ``"cuda"`` and make this process see just the GPU it may use.

    Takes the GPU with the fewest jobs, and waits where all places are taken. Call it before ``import torch``.

    Args:
        choice: ``auto`` takes a GPU where there is one; ``cpu`` and ``cuda`` insist.
        poll_seconds: how often to look for a free GPU.

    Raises:
        UserError: for an unknown choice, or for ``cuda`` on a machine without a GPU.
    """
    if choice not in CHOICES:
        raise UserError(f"device: found {choice!r}, allowed: {', '.join(CHOICES)}")
    gpus = [] if choice == "cpu" else visible_gpus()
    if not gpus:
        if choice == "cuda":
            raise UserError(
                "device: 'cuda' was asked for but nvidia-smi lists no GPU here; "
                "set `device: auto` in config/config.yaml, or run on a machine with a GPU"
            )
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return "cpu"
    if "SLURM_JOB_ID" in os.environ:
        return "cuda"
    folder = Path(tempfile.gettempdir()) / f"trakway-gpus-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    places = range(int(os.environ.get(PLACES, 1)))
    while True:
        for place, gpu in itertools.product(places, gpus):
            handle = open(folder / f"{gpu}.{place}.lock", "w")  # noqa: SIM115 (held until the process ends)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                handle.close()
                continue
            _held.append(handle)
            os.environ["CUDA_VISIBLE_DEVICES"] = gpu
            return "cuda"
        time.sleep(poll_seconds)
