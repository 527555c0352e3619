"""Memory that a process keeps between batches."""

import ctypes


def keep_freed_memory() -> None:
    """Have the C library keep what this process frees for what it allocates next; does nothing where it is not glibc.

    Left alone it hands large blocks back to the kernel, and activations, which come and go with every batch, are page
    faults again each time: a sixth of the time in which a small UNet is evaluated.
    """
    trim_threshold, mmap_threshold = -1, -3  # M_... of malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    # Alone, the first would have every large block mapped anew. Older versions of glibc take 32 MiB at most.
    if mallopt(mmap_threshold, 2**30) or mallopt(mmap_threshold, 2**25):
        mallopt(trim_threshold, 2**31 - 1)
