"""What limits journey-TRAK at high noise: the draws of noise, the estimate x̂_0, or the output itself.

    python benchmarks/high_noise.py --results results/demo/digits_ddpm --output benchmarks/high_noise.csv

Reads a finished run (tier demo) and evaluates its bank once more, on the same samples and steps, with more draws and
with the final image in the place of x̂_0; then LDS of the run's own training features, averaged over the schedule and
of the step's window, at the ridge that the run has chosen.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
DRAWS = {300: (20,), 500: (20,), 700: (20, 100), 900: (20, 100)}  # of noise, at each step


def models(results: Path, ensemble: str) -> list:
    """Return (folder, record) of the models of an ensemble, in order."""
    from trakway.storage.files import read_json

    found = []
    for path in sorted((results / f"train/{ensemble}").glob("*-*.json")):
        shard = read_json(path)
        found += [(path.parent / shard["folder"], model) for model in shard["models"]]
    return found


def variants(settings: dict, results: Path) -> dict:
    """Return {(step, image, draws): a task with those entries alone in its table of targets}."""
    from trakway.storage.files import read_array
    from trakway.tasks import build_task

    images = read_array(results / "targets/images.npy")
    found = {}
    for step, some in DRAWS.items():
        for draws in some:
            for image in ("x0 hat", "final"):
                task = build_task(settings, results / "data", targets=results / "targets/targets.parquet")
                task.journey = {**task.journey, "target_draws": draws}
                table = task.targets
                whole = (table["role"] == "evaluation") & (table["kind"] == "generated") & (table["patch"] == "")
                entries = (whole & (table["timestep"] == step).fillna(False)).to_numpy(bool)
                task.targets = table[entries]
                task.seen = images[task.targets["target"]] if image == "final" else task.seen[entries]
                found[step, image, draws] = task
    return found


def scores(settings: dict, results: Path, cases: dict) -> dict:
    """Return {(step, image, draws, function): TRAK scores (targets, n)}."""
    import numpy as np

    from trakway.attribution.material import Material
    from trakway.attribution.methods.trak import estimate
    from trakway.attribution.reading import load_features
    from trakway.attribution.values import Features
    from trakway.gradients import build_preconditioner, projected_gradients
    from trakway.plan import projection_name
    from trakway.projection.build import build_projection
    from trakway.storage.files import read_json
    from trakway.training import load_model

    projection = settings["projection"]
    seen = {}
    trained = next(iter(cases.values()))  # they differ in their targets alone
    for folder, record in models(results, "members"):
        model = load_model(trained, folder, record)
        change = build_preconditioner(projection, trained, model, 50)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        project = build_projection(projection, parameters, trained.seed, record["index"])
        for case, task in cases.items():
            batch = task.target_batch(np.arange(len(task.targets)))
            rows = projected_gradients(task, model, batch, project, change)[1].numpy()
            seen.setdefault(case, []).append(rows)
    found = {}
    for (step, image, draws), targets in seen.items():
        for function, method in (("output", "journey_trak"), (f"window-{step}", "journey_window")):
            (checkpoint,) = (results / "features" / projection_name(projection) / function).iterdir()
            members = [
                Features(entry.train, rows, entry.weights)
                for entry, rows in zip(load_features(sorted(checkpoint.iterdir())), targets, strict=True)
            ]
            material = Material(settings["seed"], len(members[0].train), len(targets[0]), features=members)
            out = np.empty((material.targets, material.size), np.float32)
            estimate(material, out, ridge=read_json(results / f"scores/{method}.json")["ridge"], weights=False)
            found[step, image, draws, function] = out
    return found


def main(arguments) -> None:
    """Evaluate the bank, score the variants, write the table."""
    import numpy as np
    import pandas as pd
    from machine import made

    from trakway.config import load_experiment
    from trakway.metrics.lds import lds_per_target, noise_ceiling, predicted
    from trakway.outputs.evaluation import model_outputs
    from trakway.runtime.progress import track
    from trakway.storage.files import read_array, write_table
    from trakway.training import load_model

    experiment = Path(__file__).parents[1] / f"config/experiments/{arguments.results.name}.yaml"
    settings = load_experiment(experiment, "demo")
    cases = variants(settings, arguments.results)
    masks = read_array(arguments.results / "subsets/evaluation.npy")
    outputs = {case: [] for case in cases}
    for folder, record in track(models(arguments.results, "evaluation"), "models evaluated"):
        model = load_model(next(iter(cases.values())), folder, record)
        for case, task in cases.items():
            outputs[case].append(model_outputs(task, model, len(task.targets)))
    attributed = scores(settings, arguments.results, cases)
    rows = []
    for case in sorted(cases):
        step, image, draws = case
        f = np.array(outputs[case]).reshape(len(masks), -1, len(cases[case].targets))
        mean = f.mean(1)
        alike = np.corrcoef(mean.T)[np.triu_indices(f.shape[2], 1)].mean()
        lds = [
            lds_per_target(predicted(attributed[*case, function], masks), mean).mean()
            for function in ("output", f"window-{step}")
        ]
        rows.append(
            {"timestep": step, "image": image, "draws": draws}
            | {"sd_over_subsets": mean.std(0).mean(), "sd_over_seeds": f.std(1).mean(), "alike": alike}
            | {"ceiling": noise_ceiling(f), "lds_averaged": lds[0], "lds_window": lds[1]}
        )
    table = pd.DataFrame(rows).round(6).assign(**made("trakway", "torch", "diffusers"))
    write_table(arguments.output, table)
    print(table.iloc[:, :9].to_string(index=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="results folder of a finished run")
    parser.add_argument("--output", type=Path, required=True, help="table (CSV)")
    main(parser.parse_args())
