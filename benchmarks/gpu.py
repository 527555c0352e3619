"""Everything that waits for a GPU, one step after another; one that fails or runs over its time does not stop the next.

    make gpu

Writes one row a step: status, seconds, how busy the GPU was (mean of a reading a second) and its memory, what the step
said last. Without a GPU every step is skipped and says so. What the workflow builds goes to a temporary folder.
"""

import argparse
import csv
import importlib
import importlib.util
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
COLUMNS = [
    "device",
    "python",
    "torch",
    "cuda",
    "cupy",
    "step",
    "status",
    "seconds",
    "busy_percent",
    "memory_mib",
    "said",
]
QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]


@dataclass
class Step:
    """A command with its time limit in seconds, and the packages without which it is skipped."""

    name: str
    limit: int
    command: list[str]
    needs: tuple[str, ...] = ()


def steps(folder: Path, jobs: int) -> list[Step]:
    """Return what is run, in this order."""
    python = sys.executable
    kernels = [python, "-m", "pytest", "-q", "-x", "tests/projection/gpu/test_device.py"]
    sizes = ["--parameters", "2300000", "--dims", "4096", "--repeats", "5"]
    workflow = [python, "-m", "snakemake", "--nolock", "--cores", "all", "--resources", f"gpu={jobs}"]
    settings = [f"results={folder}", f"jobs_per_gpu={jobs}", "device=cuda"]

    def benchmark(name, *words):
        return [python, f"benchmarks/{name}.py", *words, "--output", str(folder / f"{name}.csv")]

    def experiment(tier, name, limit):
        command = [*workflow, "--config", *settings, f"tier={tier}", "--", name]
        return Step(f"{tier} {name}", limit, command, ("snakemake", "diffusers"))

    return [
        Step("kernels", 90, kernels, ("pytest", "cupy")),
        Step("projections", 90, benchmark("projection_gpu", *sizes), ("cupy",)),
        Step("features", 120, benchmark("features_gpu"), ("cupy", "diffusers")),
        *(experiment("smoke", name, 180) for name in ("fashion_resnet", "reviews_bert", "digits_ddpm", "fashion_ldm")),
        experiment("demo", "fashion_resnet", 240),
    ]


def readings(stopped: threading.Event, found: list[tuple[int, int]]) -> None:
    """Add (percent busy, MiB of memory) of the first GPU to ``found``, once a second."""
    while not stopped.wait(1):
        line = subprocess.run(QUERY, capture_output=True, text=True, check=True).stdout.splitlines()[0]
        found.append(tuple(int(word) for word in line.split(",")))


def run(step: Step, log: Path) -> tuple[str, float]:
    """Run a step; return its status and seconds."""
    start = time.monotonic()
    with open(log, "w") as output:
        process = subprocess.Popen(
            step.command, cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT, process_group=0
        )
        try:
            code = process.wait(step.limit)
            status = "passed" if code == 0 else f"failed ({code})"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = f"stopped at {step.limit} s"
    return status, time.monotonic() - start


def device_facts() -> list[str] | None:
    """Return device, Python, torch, CUDA and CuPy (if there is one) as text; None without a GPU."""
    import torch

    if not torch.cuda.is_available():
        return None
    cupy = importlib.import_module("cupy").__version__ if importlib.util.find_spec("cupy") else ""
    return [
        torch.cuda.get_device_name(),
        platform.python_version(),
        torch.__version__,
        torch.version.cuda,
        cupy,
    ]


def main() -> int:
    """Run every step, print and write the table; 0 where none failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("gpu.csv"))
    parser.add_argument("--logs", type=Path, help="a folder for what the steps print and measure")
    parser.add_argument("--jobs", type=int, default=8, help="jobs of the workflow that share the GPU")
    parser.add_argument("--steps", nargs="+", help="the steps to run, by name; all of them without this")
    options = parser.parse_args()
    facts = device_facts()
    worst = 0
    with tempfile.TemporaryDirectory() as temporary, open(options.output, "w", newline="") as file:
        folder = options.logs or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for step in steps(folder.resolve(), options.jobs):
            if options.steps and step.name not in options.steps:
                continue
            missing = [name for name in step.needs if importlib.util.find_spec(name) is None]
            if facts is None or missing:
                row = ["skipped: " + ("no GPU" if facts is None else f"no package {missing[0]}"), "", "", "", ""]
            else:
                found, stopped = [], threading.Event()
                watch = threading.Thread(target=readings, args=(stopped, found), daemon=True)
                watch.start()
                log = folder / f"{step.name.replace(' ', '_')}.log"
                status, seconds = run(step, log)
                stopped.set()
                watch.join()
                said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
                row = [
                    *(status, f"{seconds:.0f}"),
                    *([f"{statistics.mean(b for b, _ in found):.0f}", max(m for _, m in found)] if found else ["", ""]),
                    said[-1] if said else "",
                ]
                worst |= status != "passed"
                if status != "passed":
                    print(*said[-30:], sep="\n")
            writer.writerow([*(facts or [""] * 5), step.name, *row])
            file.flush()
            print(step.name, *row, sep="  ", flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
