"""Compile and start the kernels."""

from functools import cache
from importlib.resources import files

import numpy as np
import torch
from torch import Tensor

from trakway.errors import UserError

OPTIONS = ("-std=c++17",)


def available() -> bool:
    """Return whether the kernels can run: CuPy is installed and sees a GPU of the generation of A100 or newer."""
    try:
        import cupy
    except ImportError:
        return False
    return bool(cupy.cuda.is_available()) and torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0)


def source() -> str:
    """Return the CUDA C of all kernels."""
    folder = files("trakway.projection.gpu")
    return "".join(folder.joinpath(name).read_text("utf-8") for name in ("common.cuh", "dense.cu", "sparse.cu"))


def import_cupy():
    """Return the module ``cupy``.

    Raises:
        UserError: where it isn't installed.
    """
    try:
        import cupy
    except ImportError as error:
        raise UserError(
            "projection on a GPU: found no CuPy, which compiles and starts its kernels; "
            'install it with `pip install "trakway[cuda]"`, or set `device: cpu` in config/config.yaml'
        ) from error
    return cupy


def launch(device: torch.device, name: str, blocks: int, threads: int, arguments: list, shared: int = 0) -> None:
    """Start a kernel on a device's current PyTorch stream.

    Args:
        device: where all tensors among the arguments are.
        name: of the kernel, with its template's arguments.
        blocks: how many blocks of threads.
        threads: in a block.
        arguments: contiguous tensors, or NumPy scalars of just the kernel's types.
        shared: bytes of dynamic shared memory.
    """
    cupy = import_cupy()
    stream = cupy.cuda.Stream.from_external(_Stream(torch.cuda.current_stream(device).cuda_stream))
    with cupy.cuda.Device(device.index), stream:
        kernel = _kernel(name)
        if shared > 48 << 10:  # more must be asked for
            kernel.max_dynamic_shared_size_bytes = shared
        passed = [cupy.from_dlpack(_as_integers(a)) if isinstance(a, Tensor) else a for a in arguments]
        kernel((blocks,), (threads,), tuple(passed), shared_mem=shared)


def key_words(key: int) -> tuple[np.uint32, np.uint32]:
    """Return the low and the high half of a 64-bit key."""
    return np.uint32(key & 0xFFFFFFFF), np.uint32(key >> 32)


def check_gradients(gradients: Tensor) -> str:
    """Return the format of gradients (B, p): ``float32``, ``bfloat16`` or ``float16``.

    Raises:
        ValueError: for any other, or a tensor that isn't a matrix on a GPU.
    """
    formats = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float16: "float16"}
    if not gradients.is_cuda or gradients.dim() != 2 or gradients.dtype not in formats:
        found = f"{gradients.dtype} {tuple(gradients.shape)} on {gradients.device}"
        raise ValueError(f"gradients: found {found}, allowed: a matrix of {', '.join(formats.values())} on a GPU")
    return formats[gradients.dtype]


def prepare(gradients: Tensor, dim: int, out: Tensor | None) -> tuple[str, Tensor, Tensor]:
    """Return (format, gradients, out) as the kernels take them.

    Args:
        gradients: (B, p), see `check_gradients`.
        dim: k.
        out: (B, k) float32, contiguous, on the same GPU; made when absent.

    Returns:
        the format's name, the gradients with the coordinates of a row next to each other, ``out``.

    Raises:
        ValueError: for other gradients, or another ``out``.
    """
    format = check_gradients(gradients)
    shape, device = (len(gradients), dim), gradients.device
    out = torch.empty(shape, device=device) if out is None else out
    if out.shape != shape or out.dtype != torch.float32 or not out.is_contiguous() or out.device != device:
        raise ValueError(f"out: found {out.dtype} {tuple(out.shape)} on {out.device}, not float32 {shape}")
    gradients = gradients.detach()
    return format, gradients if gradients.stride(1) == 1 else gradients.contiguous(), out


def check_features(faulty: Tensor) -> None:
    """Wait for the kernels and raise a UserError that names the rows marked as not finite."""
    rows = faulty.nonzero().flatten().tolist()
    if rows:
        shown = ", ".join(map(str, rows[:8])) + (", ..." if len(rows) > 8 else "")
        raise UserError(
            f"gradients: found inf, NaN or sums beyond float32 in row {shown} of a batch of {len(faulty)}; allowed: "
            "finite numbers; look for a model whose training diverged, or set `training.precision: float32`"
        )


class _Stream:
    """A PyTorch stream in the form that CuPy takes."""

    def __init__(self, pointer: int):
        self.pointer = pointer

    def __cuda_stream__(self):
        return 0, self.pointer


@cache
def _kernel(name: str):
    cupy = import_cupy()
    return cupy.RawModule(code=source(), options=OPTIONS, name_expressions=(name,)).get_function(name)


def _as_integers(tensor: Tensor) -> Tensor:
    """The same memory; CuPy knows no bfloat16, and the kernels read bits."""
    return tensor.view(torch.int16) if tensor.element_size() == 2 else tensor
