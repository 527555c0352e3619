"""Time the GPU projections against cuBLAS, PyTorch and the hardware's limits, and compare them with the CPU's products.

    pip install .[cuda]
    python benchmarks/projection_gpu.py --output benchmarks/projection_gpu.csv

One row of the CSV a measurement: median seconds of `--repeats` runs between CUDA events, and beside it

* ``cublas``: P as bfloat16 in memory, where it fits, times bfloat16 gradients (the time to make P is not counted);
* ``blocks``: PyTorch makes P in blocks of bfloat16 random signs, and multiplies each;
* ``floor``: the larger of multiplications at the speed of a large bfloat16 product measured here, and bytes of
  gradients at the speed of a copy measured here (float32 gradients take every multiplication twice);
* ``copy_share``: the sparse projection's bytes of gradients a second, against the bytes a copy reads and writes.
"""

import argparse
import csv
import statistics
import sys

import cupy
import torch

from trakway.projection.gpu import available, rademacher, sjlt
from trakway.projection.rademacher import Rademacher
from trakway.projection.sjlt import SJLT

KEY = 20240229
PARAMETERS = (2_300_000, 35_700_000)
BATCHES = (8, 32, 128, 256)
DIMS = (512, 2048, 4096, 16384)
COLUMNS = [
    "device", "torch", "cuda", "cupy", "method", "format", "parameters", "batch", "dim", "seconds",
    "gradients_per_second", "floor", "of_floor", "speed_against_cublas", "copy_share",
]  # fmt: skip


def seconds(function, repeats: int) -> float:
    """Return the median time of a call, after one to warm up."""
    function()
    times = []
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        function()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return statistics.median(times)


def peaks() -> tuple[float, float]:
    """Return (floating-point operations a second of a bfloat16 product, bytes a second of a copy), measured."""
    a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    flops = 2 * 8192**3 / seconds(lambda: a @ a, 20)
    source = torch.empty(1 << 28, device="cuda")
    target = torch.empty_like(source)
    return flops, 2 * source.nbytes / seconds(lambda: target.copy_(source), 20)


def random_signs(rows: int, dim: int) -> torch.Tensor:
    """Return bfloat16 ±1, (rows, dim)."""
    return torch.randint(0, 2, (rows, dim), device="cuda", dtype=torch.int8).to(torch.bfloat16).mul_(2).sub_(1)


def by_blocks(gradients: torch.Tensor, dim: int) -> torch.Tensor:
    """Project as one would with PyTorch alone: signs made block by block."""
    height = max(1, (1 << 28) // dim)
    features = torch.zeros(len(gradients), dim, device="cuda")
    for start in range(0, gradients.shape[1], height):
        block = gradients[:, start : start + height]
        features += block @ random_signs(block.shape[1], dim)
    return features


def agreement() -> None:
    """Print the largest relative difference from the CPU's products, on the same gradients."""
    gradients = torch.randn(20, 77_562, generator=torch.Generator().manual_seed(0))
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        rounded = gradients.to(dtype)
        for name, cpu, gpu in (
            ("rademacher", Rademacher(77_562, 1000, KEY), lambda g: rademacher(g, 1000, KEY)),
            ("sjlt", SJLT(77_562, 1000, KEY, 1), lambda g: sjlt(g, 1000, KEY, 1)),
        ):
            expected, found = cpu(rounded.float()), gpu(rounded.cuda())
            difference = torch.linalg.norm(found.cpu() - expected, dim=1) / torch.linalg.norm(expected, dim=1)
            again = torch.equal(found, gpu(rounded.cuda()))
            print(f"agreement {name} {dtype}: {difference.max():.2e} of the norm; same bits again: {again}", flush=True)


def fits(entries: int) -> bool:
    """Say whether as many bfloat16 entries, made from int8 ones, fit in free memory."""
    torch.cuda.empty_cache()
    return 3.5 * entries < torch.cuda.mem_get_info()[0]


def measure(options, record) -> None:
    """Time every shape."""
    flops, copy = peaks()
    print(f"a large bfloat16 product: {flops / 1e12:.0f} TFLOP/s; a copy: {copy / 1e9:.0f} GB/s", flush=True)
    for parameters in options.parameters:
        for batch in options.batches:
            for dim in options.dims:
                gradients = torch.randn(batch, parameters, device="cuda")
                narrow = gradients.to(torch.bfloat16)
                work, repeats = 2 * batch * parameters * dim, options.repeats
                cublas = None
                if fits(parameters * dim):
                    signs = random_signs(parameters, dim)
                    cublas = seconds(lambda g=narrow, p=signs: g @ p, repeats)
                    del signs
                    record("cublas", "bfloat16", parameters, batch, dim, cublas)
                torch.cuda.empty_cache()
                blocks = seconds(lambda g=narrow, k=dim: by_blocks(g, k), max(1, repeats // 4))
                record("blocks", "bfloat16", parameters, batch, dim, blocks)
                for format, matrix, products in (("float32", gradients, 2), ("bfloat16", narrow, 1)):
                    bytes_read = matrix.nbytes / copy
                    time = seconds(lambda g=matrix, k=dim: rademacher(g, k, KEY, check=False), repeats)
                    floor = max(products * work / flops, bytes_read)
                    record("rademacher", format, parameters, batch, dim, time, floor, cublas)
                    time = seconds(lambda g=matrix, k=dim: sjlt(g, k, KEY, 1, check=False), repeats)
                    record("sjlt", format, parameters, batch, dim, time, bytes_read, cublas, bytes_read / time)
                del gradients, narrow


def main() -> None:
    """Parse the command line, compare, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="projection_gpu.csv")
    parser.add_argument("--parameters", type=int, nargs="+", default=PARAMETERS)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--dims", type=int, nargs="+", default=DIMS)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    if not available():
        sys.exit("no GPU (sm_80 or newer) with CuPy here")
    facts = [torch.cuda.get_device_name(), torch.__version__, torch.version.cuda, cupy.__version__]
    agreement()
    with open(options.output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)

        def record(method, format, parameters, batch, dim, time, floor=None, cublas=None, copy_share=None):
            against = cublas / time if cublas else None
            of_floor = floor / time if floor else None
            rest = [floor, of_floor, against, copy_share]
            writer.writerow([*facts, method, format, parameters, batch, dim, f"{time:.6g}", f"{batch / time:.6g}"]
                            + ["" if x is None else f"{x:.4g}" for x in rest])  # fmt: skip
            file.flush()
            shares = zip(("floor/time", "cublas/time", "of copy"), rest[1:], strict=True)
            shown = "".join(f"  {name} {share:.2f}" for name, share in shares if share is not None)
            shape = f"p={parameters:>10,} B={batch:>3} k={dim:>5}"
            print(f"{method:10} {format:8} {shape}: {time * 1e3:9.3f} ms{shown}", flush=True)

        measure(options, record)


if __name__ == "__main__":
    main()
