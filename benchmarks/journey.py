"""Time training features of diffusion models against per-timestep accumulation, and watch the memory; one thread.

    python benchmarks/journey.py --output benchmarks/journey.csv

Per-timestep accumulation is what public code does: for each timestep one vmapped gradient an example, added up, then
projected. Both have the same model (that of the experiment, untrained as is an autoencoder below it: time does not
depend on the weights), examples, timesteps, noise, captions and projection; the features are compared before any time
is believed. Each measurement runs in a process of its own, which gives its peak memory, three times in turn, of which
the least seconds count.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
EXPERIMENTS = ["digits_ddpm", "fashion_ldm"]
EXAMPLES, CHUNK, DIM = 250, 50, 1024
RUNS = [("trakway", 5), ("trakway", 20), ("trakway", 50), ("per timestep", 5), ("per timestep", 20)]


def load(experiment: str) -> dict:
    """Return the settings of an experiment at its demo tier."""
    from trakway.config import load_experiment

    return load_experiment(Path(__file__).parents[1] / f"config/experiments/{experiment}.yaml", "demo")


def prepare(experiment: str, data: Path) -> None:
    """Write the data of an experiment; pictures encoded as by an untrained autoencoder where there is one."""
    from trakway import data as sources
    from trakway.plan import modality_of, task_settings
    from trakway.plan.loading import load as load_part
    from trakway.tasks import build_task

    settings = load(experiment)
    sources.prepare(settings["dataset"], settings["seed"], data)
    if modality_of(settings).encodes:
        autoencoder = build_task(task_settings(settings, "autoencoder"), data).new_model(0)
        load_part("task", settings["task"]).encode(settings, data, "cpu", autoencoder)


def ours(task, model, projection, rows):
    """Return features (rows, k): one averaged loss an example."""
    from trakway.gradients import per_example_gradients

    return projection(per_example_gradients(task, model, task.train_batch(rows))[1])


def per_timestep(task, model, projection, rows):
    """Return the same features from a vmapped gradient for each timestep, added up."""
    from trakway.gradients.per_example import vmapped

    *by_draw, weights = task.train_batch(rows)  # states, timesteps, goals, and conditions such as captions
    draws = by_draw[1].shape[1]
    total = 0
    for draw in range(draws):
        piece = (*(tensor[:, draw : draw + 1] for tensor in by_draw), weights)
        total = total + vmapped(task, model, piece)[1]
    return projection(total / draws)


def measure(data: str, experiment: str, name: str, draws: int) -> dict:
    """Return {"features", "parameters", "cpu_seconds", "peak_mb"} of one contestant."""
    import numpy as np
    import torch

    from trakway.projection.build import build_projection
    from trakway.runtime import memory, resources
    from trakway.tasks import build_task

    torch.set_num_threads(1)
    memory.keep_freed_memory()  # as the workflow's scripts do, and for whoever runs
    settings = load(experiment)
    settings["journey"]["train_draws"] = draws
    task = build_task(settings, Path(data))
    model = task.new_model(0).eval()
    size = sum(parameter.numel() for parameter in model.parameters())
    projection = build_projection({"kind": "sjlt", "dim": DIM, "nonzeros": 1}, size, task.seed, 0)
    compute = {"trakway": ours, "per timestep": per_timestep}[name]
    compute(task, model, projection, np.arange(2))  # compiles, and checks the fast path once
    with resources.measured() as cost:
        blocks = [np.arange(start, start + CHUNK) for start in range(0, EXAMPLES, CHUNK)]
        features = torch.cat([compute(task, model, projection, rows) for rows in blocks])
    return {"features": features.double().tolist(), "parameters": size, **cost}


def table_of(experiment: str) -> list[dict]:
    """Measure all runs of an experiment, one after the other, and return the rows of the table."""
    import numpy as np
    from machine import alone, least

    with tempfile.TemporaryDirectory() as data:
        prepare(experiment, Path(data))
        results = least(RUNS, lambda run: alone([data, experiment, *run]))
    rows = []
    for (name, draws), result in results.items():
        other = results.get(("per timestep", draws), result)
        features, reference = np.array(result["features"]), np.array(other["features"])
        rows.append(
            {
                "experiment": experiment,
                "parameters": result["parameters"],
                "program": name,
                "timesteps": draws,
                "cpu_ms_per_example": round(1000 * result["cpu_seconds"] / EXAMPLES, 2),
                "peak_mb": round(result["peak_mb"]),
                "times_our_cpu": round(result["cpu_seconds"] / results["trakway", draws]["cpu_seconds"], 1),
                "relative_difference": f"{np.linalg.norm(features - reference) / np.linalg.norm(reference):.0e}",
            }
        )
    return rows


def main() -> None:
    """Measure the experiments and write the table."""
    import pandas as pd

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="*", default=EXPERIMENTS, help="of diffusion models")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/journey.csv"))
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(*arguments.one)))
        return
    table = pd.DataFrame([row for experiment in arguments.experiments for row in table_of(experiment)])
    print(table.to_string(index=False))
    table.to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
