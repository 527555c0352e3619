"""What a notebook lends to the library and gets back as it was: random state, device, folders."""

import os
import random
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from trakway.errors import UserError
from trakway.runtime.device import CHOICES


@contextmanager
def undisturbed(seed: int | None = None) -> Iterator[None]:
    """Leave the random state of Python, NumPy and PyTorch as it was; also a decorator.

    Args:
        seed: what code of the user's that draws from the global generators draws from meanwhile; None: from where they
            stand.
    """
    python, numpy = random.getstate(), np.random.get_state()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        if seed is not None:
            random.seed(seed)
            np.random.seed(seed % 2**32)
            torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def choose_device(choice: str) -> str:
    """Return ``"cpu"`` or ``"cuda"``; a job of the workflow claims its device instead, before torch is imported.

    Raises:
        UserError: for an unknown choice, or for ``cuda`` where there is none.
    """
    if choice not in CHOICES:
        raise UserError(f"device: found {choice!r}, allowed: {', '.join(CHOICES)}")
    there = choice != "cpu" and torch.cuda.is_available()
    if choice == "cuda" and not there:
        raise UserError("device: 'cuda' was asked for but torch sees no GPU here; leave it out, or say device=\"cpu\"")
    if there:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # a fixed order of sums
    return "cuda" if there else "cpu"


class Workspace:
    """The folder of a step: the user's own, or a temporary one that goes when nothing refers to it any more.

    Attributes:
        path: the folder.
        kept: whether it is the user's own, from which an interrupted step goes on.
    """

    def __init__(self, folder: str | os.PathLike | None):
        self.kept = folder is not None
        self.path = Path(folder if self.kept else tempfile.mkdtemp(prefix="trakway-")).expanduser()
        if not self.kept:
            weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
