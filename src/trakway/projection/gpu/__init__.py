"""The projections' kernels for NVIDIA GPUs: the same matrices as on a CPU (see docs/projection.md), at a GPU's speed.

CUDA C in ``*.cu``, compiled at first use by NVRTC through CuPy, which keeps the binaries (``~/.cupy``). Tensors are
PyTorch's own, passed by DLPack without copies, on PyTorch's current stream.
"""

from trakway.projection.gpu.agreement import usable
from trakway.projection.gpu.dense import rademacher
from trakway.projection.gpu.kernels import available
from trakway.projection.gpu.sparse import sjlt

__all__ = ["available", "rademacher", "sjlt", "usable"]
