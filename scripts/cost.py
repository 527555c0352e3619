"""Measure the LDS of every method against the CPU seconds of the models it uses."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command

KINDS = ("members", "estimation", "features", "checkpoints", "representations", "norm", "windows")


def main(arguments):
    import pandas as pd

    from trakway.attribution.arguments import material_of
    from trakway.attribution.loading import load_outputs
    from trakway.metrics.lds import evaluate_pooled, predicted
    from trakway.runtime.progress import track
    from trakway.storage.files import read_array, read_json, read_table, write_table
    from trakway.validation.cost import ModelCosts, cost_runs, own_models

    settings = read_settings(arguments.settings)
    material, evaluated = material_of(arguments, settings["seed"])
    masks = read_array(arguments.subsets)
    outputs = load_outputs(arguments.outputs, arguments.seeds)[:, :, :evaluated]
    spent = {
        kind: sum(read_json(path)["cpu_seconds"] for path in getattr(arguments, f"{kind}_costs")) for kind in KINDS
    }
    costs = ModelCosts(**spent, own=own_models(settings))
    predictions, rows = {}, []
    for name in track(settings["methods"], "methods costed"):
        shares = settings["cost"]["fractions"]
        runs = cost_runs(name, material, evaluated, settings["scores"], shares, costs, arguments.estimation_seeds)
        for models, (scores, seconds) in runs.items():
            predictions[f"{name}, {models}"] = predicted(scores, masks)
            rows.append({"method": name, "models": models, "cpu_seconds": seconds})
    table = read_table(arguments.targets)
    lds = evaluate_pooled(predictions, outputs, table, seed=settings["seed"], **settings["lds"])
    write_table(arguments.output, pd.DataFrame(rows).join(lds[["lds", "lds_low", "lds_high", "ceiling"]]))


if __name__ == "__main__":
    from trakway.attribution.arguments import add_material_arguments

    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings", required=True, help="sections seed, task, scores, methods, cost, lds: JSON text or a YAML file"
    )
    add_material_arguments(command)
    command.add_argument("--subsets", type=Path, required=True, help="subsets of the evaluation bank")
    command.add_argument("--outputs", type=Path, nargs="+", required=True, help="outputs of its models, in order")
    command.add_argument("--seeds", type=int, required=True, help="models of each subset")
    for kind in KINDS:
        command.add_argument(f"--{kind}-costs", type=Path, nargs="*", default=[], help=f"costs of the {kind} (JSON)")
    command.add_argument("--output", type=Path, required=True, help="table of costs")
    command.run(main)
