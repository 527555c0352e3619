"""Measure the LDS of every method against the CPU seconds of the models it uses."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    import pandas as pd

    from trakway.attribution.arguments import material_of
    from trakway.attribution.reading import load_outputs
    from trakway.metrics.lds import evaluate_pooled, predicted
    from trakway.plan import methods_of
    from trakway.runtime.progress import track
    from trakway.storage.files import read_array, read_json, read_table, write_table
    from trakway.validation.cost import cost_runs

    settings = read_settings(arguments.settings)
    material, evaluated = material_of(arguments, settings)
    masks = read_array(arguments.subsets)
    outputs = load_outputs(arguments.outputs, len(masks))[:, :, :evaluated]
    predictions, rows = {}, []
    for name, chosen in track(methods_of(settings).items(), "methods costed"):
        spent = sum(read_json(path)["cpu_seconds"] for path in arguments.models_cost.get(name, []))
        shares = settings["cost"]["fractions"]
        runs = cost_runs(chosen, material, evaluated, shares, spent, arguments.estimation_seeds)
        for models, (scores, seconds) in runs.items():
            predictions[f"{name}, {models}"] = predicted(scores, masks)
            rows.append({"method": name, "models": models, "cpu_seconds": seconds})
    table = read_table(arguments.targets)
    lds = evaluate_pooled(predictions, outputs, table, seed=settings["seed"], **settings["lds"])
    write_table(arguments.output, pd.DataFrame(rows).join(lds[["lds", "lds_low", "lds_high", "ceiling"]]))


if __name__ == "__main__":
    from trakway.attribution.arguments import add_bank_arguments, add_material_arguments
    from trakway.runtime.paths import Named

    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings", required=True, help="sections seed, task, methods, cost, lds: JSON text or a YAML file"
    )
    add_material_arguments(command)
    add_bank_arguments(command)
    command.add_argument("--estimation-seeds", type=int, default=1, help="models of each subset of the estimation bank")
    command.add_argument(
        "--models-cost", action=Named, default={}, help="a method, and the costs (JSON) of all that it reads"
    )
    command.add_argument("--output", type=Path, required=True, help="table of costs")
    command.run(main)
