"""Every kernel compiles for every generation of GPUs, and keeps its numbers in registers."""

import re

import pytest
import torch  # noqa: F401 (brings NVRTC, which CuPy then finds)

from trakway.projection.gpu import kernels, schedule

nvrtc = pytest.importorskip("cupy.cuda", reason="no CuPy to compile the kernels with").nvrtc

FACTS = re.compile(
    r"Compiling entry function '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers", re.S
)


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_100"])
def test_kernels_compile_without_spills(architecture):
    try:
        nvrtc.getVersion()
    except RuntimeError as error:
        pytest.skip(f"no NVRTC here: {error}")
    if int(architecture[3:]) not in nvrtc.getSupportedArchs():
        pytest.skip(f"this NVRTC knows no {architecture}")
    names = schedule.all_kernels()
    program = nvrtc.createProgram(kernels.source(), "projection.cu", [], [])
    for name in names:
        nvrtc.addNameExpression(program, name)
    options = [*kernels.OPTIONS, f"--gpu-architecture={architecture}", "--ptxas-options=-v"]
    try:
        nvrtc.compileProgram(program, options)
    except nvrtc.NVRTCError:
        pytest.fail(nvrtc.getProgramLog(program))
    log = nvrtc.getProgramLog(program)
    assert "warning" not in log
    found = {function: (int(stores), int(loads), int(used)) for function, stores, loads, used in FACTS.findall(log)}
    for name in names:
        lowered = nvrtc.getLoweredName(program, name)
        stores, loads, registers = found[lowered.decode() if isinstance(lowered, bytes) else lowered]
        print(f"{architecture} {name}: {registers} registers")
        assert (stores, loads) == (0, 0), f"{name} spills"
        if name.startswith("sparse<"):
            assert registers * schedule.THREADS * 2 <= 65536, "two blocks should fit on a multiprocessor"
        if name.startswith("dense<"):
            assert registers * 32 * schedule.WARPS * 2 <= 65536, "two blocks should fit on a multiprocessor"
    nvrtc.destroyProgram(program)
