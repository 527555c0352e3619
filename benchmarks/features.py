"""Time an attributed training example against a training sample, for each modality; one thread.

    make run
    python benchmarks/features.py results/demo/* --output benchmarks/features.csv

A gradient is a backward pass, so that an attributed example (gradient, preconditioner where the experiment has one,
projection) should cost about what a training sample costs (batch, forward and backward pass, step of the optimiser). Of
diffusion models an example is as many samples as f has draws. Both are timed in one process, on the first member, with
the experiment's own settings and in turn; the least of five counts.
"""

import argparse
import time
from itertools import islice
from pathlib import Path

from trakway.runtime.environment import use_one_thread

use_one_thread()

EXAMPLES = 200
STEPS = 10
TIMES = 5


def seconds(work) -> float:
    """Return the CPU seconds of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(folder: Path, chunk: int) -> dict:
    """Return the row of the experiment whose results a folder holds."""
    import numpy as np
    import torch

    from trakway.features.extraction import load_member
    from trakway.features.members import members_of
    from trakway.gradients import Preconditioner, per_example_gradients, projected_gradients
    from trakway.projection.build import build_projection
    from trakway.runtime import memory
    from trakway.storage.files import read_json
    from trakway.tasks import build_task
    from trakway.training.run import Run

    torch.set_num_threads(1)
    memory.keep_freed_memory()
    settings = read_json(folder / "provenance.json")["settings"]
    task = build_task(settings, folder / "data")
    shard = min((folder / "train/members").glob("*-*.json"))
    member = members_of(task, read_json(shard), shard.parent / read_json(shard)["folder"], -1)[0]
    model = load_member(task, member)
    parameters = sum(model.get_parameter(name).numel() for name in task.attributed(model))
    projection = build_projection(settings["projection"], parameters, task.seed, member.index)
    changes = sorted((folder / "preconditioners").glob("*/*/*/*.safetensors"))
    change = Preconditioner.load(changes[0], task.device) if changes else None

    run = Run(task, np.arange(task.train_size), settings["training"], 1)
    steps = list(islice(run.epoch(0), STEPS))
    samples = sum(len(part) for _, part in steps)
    blocks = np.split(np.arange(EXAMPLES), range(chunk, EXAMPLES, chunk))

    def train():
        for step in steps:
            run.take(*step)

    def attribute():
        for rows in blocks:
            projected_gradients(task, model, task.train_batch(rows), projection, change)[1].numpy()

    def gradients():
        for rows in blocks:
            per_example_gradients(task, model, task.train_batch(rows))

    projected_gradients(task, model, task.train_batch(np.arange(2)), projection, change)  # compiles, tries the model
    works = {"training": train, "attributed": attribute, "gradients": gradients}
    taken = [{name: seconds(work) for name, work in works.items()} for _ in range(TIMES)]
    least = {name: min(once[name] for once in taken) for name in works}
    sample = least["training"] / samples
    example = least["attributed"] / EXAMPLES / task.draws
    return {
        "experiment": folder.name,
        "parameters": parameters,
        "dim": projection.dim,
        "preconditioner": settings["projection"]["preconditioner"] if change else "",
        "draws": task.draws,
        "examples_at_a_time": chunk,
        "training_sample_ms": round(1000 * sample, 3),
        "attributed_row_ms": round(1000 * example, 3),
        "whole_gradients_ms": round(1000 * least["gradients"] / EXAMPLES / task.draws, 3),
        "ratio": round(example / sample, 2),
    }


def main() -> None:
    """Measure the experiments and write the table."""
    import pandas as pd
    from machine import made

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="of finished experiments")
    parser.add_argument(
        "--chunks", type=int, nargs="+", default=[50, 200], help="examples at a time; 50 is the default"
    )
    parser.add_argument("--output", type=Path, default=Path("benchmarks/features.csv"))
    arguments = parser.parse_args()
    rows = [measure(folder, chunk) | made("torch") for folder in arguments.folders for chunk in arguments.chunks]
    table = pd.DataFrame(rows)
    print(table.drop(columns=["processor", "versions", "command", "note"]).to_string(index=False))
    table.to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
