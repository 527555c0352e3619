"""Time features of a model of eleven million parameters and watch their memory: factored against sparse projection.

    python benchmarks/factored.py --output benchmarks/factored.csv

The model is torchvision's ResNet-18, untrained (time does not depend on the weights), on 32 x 32 images; one thread.
Each measurement has a process of its own, which gives its peak memory: what features add to the resident size that the
model, libraries and a first feature of a small model took before. Seconds are of the CPU, the best of three calls after
a first one, which checks the way taken and makes the signs and is part of the memory.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
DIM = 1024
RUNS = [("sjlt", 8), ("sjlt", 32), ("factored", 8), ("factored", 32), ("factored", 128)]


def measure(kind: str, batch: int) -> dict:
    """Make features of a batch in this process."""
    import math

    import torch
    import torchvision
    from machine import peak_mb

    from trakway.gradients import projected_gradients, shapes
    from trakway.projection.build import build_projection
    from trakway.tasks import Task

    torch.set_num_threads(1)

    class Images(Task):
        """The first class against the others."""

        device = "cpu"

        def output(self, model, batch):
            logits = model(batch[0])
            return logits[:, 0] - logits[:, 1:].logsumexp(1)

        def missing(self, *arguments):
            raise NotImplementedError

        architecture = train_batch = target_batch = loss = loss_slope = missing

    def features_of(model, images):
        names = task.attributed(model)
        seen = shapes(model, names)
        projection = build_projection({"kind": kind, "dim": DIM}, sum(map(math.prod, seen)), 0, 0, seen)
        return lambda: projected_gradients(task, model, (images,), projection)

    task = Images()
    generator = torch.Generator().manual_seed(0)
    small = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 10)).eval()
    features_of(small, torch.randn(1, 3, 8, 8, generator=generator))()  # compiles
    model = torchvision.models.resnet18(num_classes=10).eval()
    compute = features_of(model, torch.randn(batch, 3, 32, 32, generator=generator))
    before = peak_mb()
    compute()
    seconds = []
    for _ in range(3):
        start = time.process_time()
        compute()
        seconds.append(time.process_time() - start)
    return {
        "p": sum(parameter.numel() for parameter in model.parameters()),
        "k": DIM,
        "batch": batch,
        "cpu_ms_per_example": round(1000 * min(seconds) / batch, 2),
        "peak_mb_beyond_model": round(peak_mb() - before),
    }


def main() -> None:
    """Run all measurements, one after the other, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/factored.csv"))
    parser.add_argument("--note", default="", help="kept in the table, e.g. what else the machine did")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(*json.loads(arguments.one))))
        return

    import pandas as pd
    from machine import alone, made

    about = made("torch", "torchvision", "numba", note=arguments.note)
    rows = []
    for case in RUNS:
        found = alone(case)
        rows.append({"projection": case[0]} | found | about)
        print(case[0], *found.values(), flush=True)
        pd.DataFrame(rows).to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
