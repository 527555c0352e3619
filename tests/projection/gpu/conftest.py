import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from trakway.projection.gpu import dense, kernels, listing, schedule, sparse


class Emulator:
    """Stands in for ``kernels.launch``: runs the kernels' source, compiled by g++, on CPU tensors."""

    def __init__(self, folder: Path):
        names = schedule.all_kernels()
        header = (Path(__file__).parent / "emulator.hpp").read_text()
        kernels_source = kernels.source()
        dynamic = "extern __shared__ __align__(16) float memory[];"
        assert dynamic in kernels_source
        kernels_source = kernels_source.replace(dynamic, "float* memory = (float*)dynamic_shared;")
        cases = "".join(
            f'extern "C" int run{i}(int b, int t, int n, void** a, const int* s) {{ '
            f"return run({name}, b, t, n, a, s); }}\n"
            for i, name in enumerate(names)
        )
        (folder / "kernels.cpp").write_text(header + kernels_source + cases)
        command = ["g++", "-std=c++17", "-O1", "-w", "-shared", "-fPIC", "kernels.cpp", "-o", "kernels.so"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[:4000]
        library = ctypes.CDLL(str(folder / "kernels.so"))
        self.functions = {name: library[f"run{i}"] for i, name in enumerate(names)}
        self.launched = []

    def launch(self, device, name, blocks, threads, arguments, shared=0):
        self.launched.append(name)
        assert shared <= 80 << 10
        values = [np.uint64(a.data_ptr()) if isinstance(a, torch.Tensor) else a for a in arguments]
        held = [np.array([value]) for value in values]
        pointers = (ctypes.c_void_p * len(held))(*(array.ctypes.data for array in held))
        sizes = (ctypes.c_int * len(held))(*(array.itemsize for array in held))
        assert self.functions[name](blocks, threads, len(held), pointers, sizes) == 0


@pytest.fixture(scope="session")
def built_emulator(tmp_path_factory):
    if shutil.which("g++") is None:
        pytest.skip("no g++ to build the emulator of a GPU with")
    return Emulator(tmp_path_factory.mktemp("emulator"))


@pytest.fixture
def emulator(built_emulator, monkeypatch):
    """The GPU functions ``dense.rademacher`` and ``sparse.sjlt`` take CPU tensors, and run emulated."""
    for module in (dense, sparse, listing):
        monkeypatch.setattr(module, "launch", built_emulator.launch)
    monkeypatch.setattr(kernels, "check_gradients", lambda gradients: str(gradients.dtype).removeprefix("torch."))
    listing.listing.cache_clear()
    built_emulator.launched.clear()
    yield built_emulator
    listing.listing.cache_clear()
