"""What a derivative through all of training costs: in trainings of the same run, by the number of targets at once.

    python benchmarks/metagradients.py --output benchmarks/metagradients.csv

The runs of `fashion_exact` (ResNet) and `digits_exact` (UNet), cut to `--steps`: training and going back take a time a
step each. Functions are outputs of training examples, whose values do not matter for the time. ``states`` says whether
all steps of the run are kept, or √T beginnings of segments, which are run again; ``difference`` is that of the first
function's scores from those without others beside it.
"""

import argparse
import csv
import os
import sys
import tempfile
import time
from pathlib import Path

from trakway.runtime.environment import use_one_thread

use_one_thread()
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

EXPERIMENTS = Path(__file__).parents[1] / "config/experiments"
COLUMNS = [
    "device", "torch", "experiment", "parameters", "steps", "targets", "states", "training_seconds", "seconds",
    "trainings_a_target", "states_mb", "difference",
]  # fmt: skip


def clock(device: str) -> float:
    """Return the time in seconds, when all that was begun on the device is done."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def measure(name: str, options, record) -> None:
    """Time one run and the way back through it."""
    import numpy as np
    import torch

    from trakway.config import load_experiment
    from trakway.data import prepare
    from trakway.gradients import per_example_gradients
    from trakway.metagradients.exact import metagradients
    from trakway.metagradients.recording import Recording, bytes_of_a_step, steps_of
    from trakway.metagradients.scores import TOGETHER
    from trakway.runtime import memory
    from trakway.tasks import build_task
    from trakway.training.run import Run

    memory.keep_freed_memory()  # as the workflow's scripts do
    settings = load_experiment(EXPERIMENTS / f"{name}.yaml", "validated")
    training = settings["training"] | {"steps": options.steps, "checkpoints": 1}
    with tempfile.TemporaryDirectory() as work:
        prepare(settings["dataset"], 0, work)
        task = build_task(settings, Path(work), options.device)

        def begin() -> Run:
            return Run(task, np.arange(task.train_size), training, 1)

        def trained() -> float:
            run = begin()
            start = clock(options.device)
            for part in steps_of(run):
                run.take(*part)
            return clock(options.device) - start

        trained()
        plain = min(trained() for _ in range(3))
        held = bytes_of_a_step(begin()) / 2**20
        first = None
        for states, room in (("all", options.steps), ("segments", int(options.steps**0.5) + 1)):
            for targets in options.targets:
                start = clock(options.device)
                recording = Recording(begin(), room)
                model = recording.run.state.model.eval()
                slopes = torch.cat(
                    [per_example_gradients(task, model, task.train_batch(np.array([row])))[1] for row in range(targets)]
                )
                model.train()
                found = metagradients(recording, slopes, TOGETHER[options.device])[:, 0]
                seconds = clock(options.device) - start
                first = found[0] if first is None else first
                far = float((found[0] - first).norm() / first.norm())
                kept = held * (options.steps if states == "all" else 2 * options.steps**0.5)
                record(name, slopes.shape[1], options.steps, targets, states, f"{plain:.3g}", f"{seconds:.3g}",
                       f"{seconds / plain / targets:.2f}", f"{kept:.0f}", f"{far:.1e}")  # fmt: skip


def main() -> None:
    """Measure both."""
    import machine
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="metagradients.csv")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=["cpu", "cuda"])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--targets", type=int, nargs="+", default=[1, 4, 16, 64])
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.cuda.get_device_name() if options.device == "cuda" else machine.processor()
    with open(options.output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)

        def record(*row):
            writer.writerow([device, torch.__version__, *row])
            file.flush()
            print(*(f"{name} {value}" for name, value in zip(COLUMNS[2:], row, strict=True)), sep="  ", flush=True)

        for name in ("fashion_exact", "digits_exact"):
            measure(name, options, record)


if __name__ == "__main__":
    sys.exit(main())
