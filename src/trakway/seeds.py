"""Every random number of the project comes from here.

A stream is named by (experiment seed, role, index...) and by nothing else, so that it never depends on call order,
batch size, number of workers or device.
"""

import hashlib

import numpy as np


def derive(seed: int, role: str, *index: int) -> int:
    """Return a seed in [0, 2**63) for the stream ``(seed, role, *index)``.

    Args:
        seed: the experiment's seed.
        role: what the numbers are for, e.g. ``"train"``.
        index: whole numbers that tell apart the streams of one role, e.g. the member.
    """
    name = "/".join([str(int(seed)), role, *(str(int(i)) for i in index)])
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, role: str, *index: int) -> np.random.Generator:
    """Return a NumPy generator (Philox, counter-based) for the stream ``(seed, role, *index)``."""
    return np.random.Generator(np.random.Philox(key=derive(seed, role, *index)))
