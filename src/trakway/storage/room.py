"""Room on a disk: reserved before it is needed, and said in words where there is none."""

import contextlib
import errno
import os
import shutil
from pathlib import Path

from trakway.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT)
ADVICE = "free some (make clean-stale lists what earlier settings left), or let results name a folder of another disk"


def reserve(path: Path) -> None:
    """Reserve on the disk what a file of holes says it has: a map of a full disk ends its process without a word.

    Raises:
        UserError: the disk, or what this user may take of it, has not so much; the file is removed.
    """
    needed = path.stat().st_size
    try:
        if needed > shutil.disk_usage(path.parent).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if hasattr(os, "posix_fallocate"):
            with open(path, "r+b") as handle:
                os.posix_fallocate(handle.fileno(), 0, needed)
    except OSError as error:
        # A file system that reserves nothing: what is written will tell.
        if error.errno in FULL:
            path.unlink()
            free = shutil.disk_usage(path.parent).free
            name = path.name.removeprefix(".").replace(".partial", "")
            raise UserError(
                f"{path.parent}: found {free:,} bytes free, and {name} needs {needed:,}; {ADVICE}"
            ) from None


def full_disk(error: BaseException) -> str | None:
    """Return in words that an error is of a disk without room; None if it is something else."""
    number = getattr(error, "errno", None)
    # Libraries with error kinds of their own keep the system's words.
    if number not in FULL and not any(os.strerror(one) in str(error) for one in FULL):
        return None
    named = getattr(error, "filename", None)
    folder, free = Path(named or ".").absolute(), "no room"
    folder = next(parent for parent in [folder, *folder.parents] if parent.is_dir())
    with contextlib.suppress(OSError):
        free = f"{shutil.disk_usage(folder).free:,} bytes"
    return f"{named or folder}: {os.strerror(number or errno.ENOSPC)}; found {free} free in {folder}; {ADVICE}"
