"""Kernels are used where they have been seen to give what the definition says."""

import functools
import warnings

import numpy as np
import torch

from trakway.projection import reference
from trakway.projection.gpu.dense import rademacher
from trakway.projection.gpu.kernels import available
from trakway.projection.gpu.sparse import sjlt

TOLERANCE = 2.0**-15  # of a row's largest feature
SHAPE = (9, 300, 130)  # gradients, coordinates, features: no multiple of anything
KEY = 0x0123456789ABCDEF


@functools.cache
def usable() -> bool:
    """Whether projections on this process's GPU take the kernels: there is CuPy, and a trial of both kinds agrees.

    Warns, and leaves the work to PyTorch, where a trial does not agree.
    """
    if not available():
        return False
    try:
        errors = _trial()
    except Exception as error:  # whatever a new card, driver or CuPy may bring: the work goes on without the kernels
        warnings.warn(f"the GPU kernels do not run on this device ({error}); PyTorch projects instead", stacklevel=2)
        return False
    for kind, error in errors.items():
        if not error <= TOLERANCE:
            warnings.warn(
                f"the GPU kernel of {kind} differs from its definition by {error:.1e} on this device; "
                "PyTorch projects instead, slower and right",
                stacklevel=2,
            )
            return False
    return True


def _trial() -> dict[str, float]:
    """Return for each kind the largest error of a small product, relative to its largest feature."""
    batch, parameters, dim = SHAPE
    gradients = np.random.default_rng(0).standard_normal((batch, parameters)).astype(np.float32)
    on_device = torch.from_numpy(gradients).cuda()
    errors = {}
    for kind, found in (("rademacher", rademacher(on_device, dim, KEY)), ("sjlt", sjlt(on_device, dim, KEY, 1))):
        expected = gradients.astype(np.float64) @ reference.matrix(kind, range(parameters), dim, KEY)
        errors[kind] = np.abs(found.double().cpu().numpy() - expected).max() / np.abs(expected).max()
    return errors
