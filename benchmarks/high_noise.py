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
    from trakway.files import read_json

    found = []
    for path in sorted((results / f"train/{ensemble}").glob("*-*.json")):
        shard = read_json(path)
        found += [(path.parent / shard["folder"], model) for model in shard["models"]]
    return found


def features(results: Path, name: str, function: str):
    """Return training features (members, n, k)."""
    import numpy as np

    from trakway.files import read_array

    (checkpoint,) = (results / "features" / name / function).iterdir()
    return np.concatenate([read_array(shard / "train.npy") for shard in sorted(checkpoint.iterdir())])


def variants(settings: dict, results: Path) -> dict:
    """Return {(step, image, draws): (task, entries)}."""
    from trakway.files import read_array
    from trakway.tasks import build_task

    images = read_array(results / "targets/images.npy")
    found = {}
    for draws in sorted({draws for some in DRAWS.values() for draws in some}):
        for image in ("x0 hat", "final"):
            task = build_task(settings, results / "data", targets=results / "targets/targets.parquet")
            task.journey = {**task.journey, "target_draws": draws}
            table = task.targets
            if image == "final":
                task.seen = images[table["target"]]
            whole = (table["role"] == "evaluation") & (table["kind"] == "generated") & (table["patch"] == "")
            for step in (step for step, some in DRAWS.items() if draws in some):
                entries = table.index[whole & (table["timestep"] == step).fillna(False)].to_numpy()
                found[step, image, draws] = task, entries
    return found


def output_of(task, model, batch):
    """Return f of a batch, a piece at a time."""
    import torch

    from trakway.gradients.per_example import add_pieces

    with torch.no_grad():
        return add_pieces(task, batch, lambda piece: ((f := task.output(model, piece)), f[:, None]))[0].numpy()


def scores(settings: dict, results: Path, cases: dict) -> dict:
    """Return {(step, image, draws, function): scores (targets, n)} by the dual form of TRAK's kernel."""
    import numpy as np

    from trakway.files import read_json
    from trakway.gradients import build_preconditioner, projected_gradients
    from trakway.plan import projection_name
    from trakway.projection.build import build_projection
    from trakway.training import load_model

    projection = settings["projection"]
    name = projection_name(projection)
    members = models(results, "members")
    ridges = {}
    for function, method in [("output", "journey_trak")] + [(f"window-{step}", "journey_window") for step in DRAWS]:
        ridges[function] = read_json(results / f"scores/{method}.json")["ridge"]
    train = {function: features(results, name, function) for function in ridges}
    total = {}
    for m, (folder, record) in enumerate(members):
        task = next(iter(cases.values()))[0]
        model = load_model(task, folder, record)
        change = build_preconditioner(projection, task, model, 50)
        project = build_projection(projection, sum(p.numel() for p in model.parameters()), task.seed, record["index"])
        inverses = {}
        for function, ridge in ridges.items():
            phi = train[function][m].astype(np.float64)
            kernel = phi @ phi.T
            inverses[function] = phi.T @ np.linalg.inv(
                kernel + ridge * np.trace(kernel) / phi.shape[1] * np.eye(len(phi))
            )
        for (step, image, draws), (task, entries) in cases.items():
            rows = projected_gradients(task, model, task.target_batch(entries), project, change)[1].double().numpy()
            for function in ("output", f"window-{step}"):
                key = step, image, draws, function
                total[key] = total.get(key, 0) + rows @ inverses[function]
    return total


def main(arguments) -> None:
    """Evaluate the bank, score the variants, write the table."""
    import numpy as np
    import pandas as pd
    from machine import made

    from trakway.config import load_experiment
    from trakway.files import read_array, write_table
    from trakway.progress import track
    from trakway.training import load_model
    from trakway.validation.lds import lds_per_target, noise_ceiling, predicted

    experiment = Path(__file__).parents[1] / f"config/experiments/{arguments.results.name}.yaml"
    settings = load_experiment(experiment, "demo")
    cases = variants(settings, arguments.results)
    masks = read_array(arguments.results / "subsets/evaluation.npy")
    outputs = {case: [] for case in cases}
    for folder, record in track(models(arguments.results, "evaluation"), "models evaluated"):
        model = load_model(next(iter(cases.values()))[0], folder, record)
        for case, (task, entries) in cases.items():
            outputs[case].append(output_of(task, model, task.target_batch(entries)))
    attributed = scores(settings, arguments.results, cases)
    rows = []
    for case in sorted(cases):
        step, image, draws = case
        f = np.array(outputs[case], np.float64).reshape(len(masks), -1, len(cases[case][1]))
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
