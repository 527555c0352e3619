"""Features on a GPU against the same on a CPU: do they agree, and how much faster are they?

    pip install .[cuda]
    python benchmarks/features_gpu.py --output benchmarks/features_gpu.csv

Models are untrained: time does not depend on the weights. ``difference`` is the largest relative distance of a feature
row from the CPU's, ``training_samples`` how many rows a second a step of ordinary training (forward and backward in the
training's own precision) takes through the model, so that ``cost`` says how many training samples a row of features
costs: of a diffusion model a row is one of the draws that an example's output is a mean over.
"""

import argparse
import csv
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

EXPERIMENTS = Path(__file__).parents[1] / "config/experiments"
PACKED = {
    "name": "fashion_mnist",
    "source": "packed",
    "classes": ["coat", "shirt"],
    "train_size": 1000,
    "test_size": 20,
}
# experiment, tier, its data in the place of downloads, examples at a time
CASES = (
    ("fashion_resnet", "demo", None, 500),
    ("fashion_resnet", "paper", PACKED, 250),
    ("reviews_bert", "demo", None, 250),
    ("digits_ddpm", "demo", None, 250),
    ("cifar10_ddpm", "paper", PACKED | {"image_size": 32}, 32),
)
PROJECTIONS = (
    {"kind": "sjlt", "dim": 4096},
    {"kind": "rademacher", "dim": 4096},
    {"kind": "factored", "dim": 1024},
)
ON_CPU = 2  # examples that the CPU computes
LARGE = 10**7  # parameters from which the CPU computes the first projection only: the others take it minutes
COLUMNS = [
    "device", "torch", "cuda", "experiment", "parameters", "kind", "dim", "batch", "difference", "per_second",
    "cpu_per_second", "training_samples", "cost",
]  # fmt: skip


def rate(call, examples: int, repeats: int) -> float:
    """Return examples a second, after one call to warm up."""
    import torch

    call()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    torch.cuda.synchronize()
    return repeats * examples / (time.perf_counter() - start)


def model_rows(model, call) -> int:
    """Return how many rows go through a model in a call."""
    passed = []

    def count(module, inputs, named):
        passed.append(len(inputs[0] if inputs else next(iter(named.values()))))

    hook = model.register_forward_pre_hook(count, with_kwargs=True)
    call()
    hook.remove()
    return sum(passed)


def training_rate(task, rows, precision: str, repeats: int) -> float:
    """Return the examples a second that a step of training goes through."""
    import numpy as np
    import torch

    model = task.new_model(0).train()

    def step():
        batch = task.training_batch(rows, np.random.default_rng(0))
        with torch.autocast("cuda", torch.bfloat16, enabled=precision != "float32"):
            task.loss(model, batch).backward()

    return rate(step, len(rows), repeats)


def measure(case, record) -> None:
    """Compare and time one model with every projection."""
    import numpy as np
    import torch

    from trakway.config import load_experiment
    from trakway.data import prepare
    from trakway.gradients import projected_gradients, shapes
    from trakway.plan import modality_of
    from trakway.plan.loading import load
    from trakway.projection.build import build_projection
    from trakway.tasks import build_task

    name, tier, dataset, batch = case
    settings = load_experiment(EXPERIMENTS / f"{name}.yaml", tier)
    with tempfile.TemporaryDirectory() as work:
        prepare(dataset or settings["dataset"], 0, work)
        if modality_of(settings).encodes:
            load("task", settings["task"]).encode(settings, Path(work), "cuda")
        tasks = {device: build_task(settings, Path(work), device) for device in ("cpu", "cuda")}
        models = {device: task.new_model(0).eval() for device, task in tasks.items()}
        seen = shapes(models["cpu"], tasks["cpu"].attributed(models["cpu"]))
        size = sum(parameter.numel() for parameter in models["cpu"].parameters())
        rows = np.arange(batch)
        trained = training_rate(tasks["cuda"], rows, settings["training"]["precision"], 20)
        for projection in PROJECTIONS if size < LARGE else PROJECTIONS[:1]:
            built = build_projection(projection, size, 0, 0, seen)

            def features(device, rows, built=built):
                return projected_gradients(tasks[device], models[device], tasks[device].train_batch(rows), built)[1]

            features("cpu", rows[:1])
            start = time.perf_counter()
            expected = features("cpu", rows[:ON_CPU])
            on_cpu = ON_CPU / (time.perf_counter() - start)
            found = features("cuda", rows[:ON_CPU]).cpu()
            difference = torch.linalg.norm(found - expected, dim=1) / torch.linalg.norm(expected, dim=1)
            per_second = rate(lambda: features("cuda", rows), batch, 3)
            drawn = model_rows(models["cuda"], lambda: features("cuda", rows)) / batch
            record(name, size, projection["kind"], projection["dim"], batch, f"{difference.max():.1e}",
                   f"{per_second:.4g}", f"{on_cpu:.4g}", f"{trained:.4g}",
                   f"{trained / per_second / drawn:.2f}")  # fmt: skip
            torch.cuda.empty_cache()


def main() -> None:
    """Measure every case; one that fails is told and the others go on."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="features_gpu.csv")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("no GPU here")
    facts = [torch.cuda.get_device_name(), torch.__version__, torch.version.cuda]
    failed = False
    with open(options.output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)

        def record(*row):
            writer.writerow([*facts, *row])
            file.flush()
            print(*(f"{name} {value}" for name, value in zip(COLUMNS[3:], row, strict=True)), sep="  ", flush=True)

        for case in CASES:
            try:
                measure(case, record)
            except Exception as error:
                failed = True
                print(f"{case[0]} ({case[1]}): {type(error).__name__}: {error}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
