"""Measure the LDS of the main method with one setting varied at a time."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    import pandas as pd

    from trakway.attribution.arguments import material_of
    from trakway.attribution.reading import load_outputs
    from trakway.metrics.lds import evaluate_pooled, predicted
    from trakway.storage.files import read_array, read_table, write_table
    from trakway.validation.ablation import ablation_runs

    settings = read_settings(arguments.settings)
    material, evaluated = material_of(arguments, settings)
    masks = read_array(arguments.subsets)
    outputs = load_outputs(arguments.outputs, len(masks))[:, :, :evaluated]
    predictions, rows = {}, []
    for variant, scores, record in ablation_runs(settings, material, evaluated, arguments.variants):
        predictions[f"{variant.axis} {variant.value}"] = predicted(scores, masks)
        rows.append({"axis": variant.axis, "value": variant.value, **record})
    table = read_table(arguments.targets)
    lds = evaluate_pooled(predictions, outputs, table, seed=settings["seed"], **settings["lds"])
    write_table(arguments.output, pd.DataFrame(rows).join(lds[["lds", "lds_low", "lds_high", "ceiling"]]))


if __name__ == "__main__":
    from trakway.attribution.arguments import add_bank_arguments, add_material_arguments
    from trakway.runtime.paths import Paths

    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings",
        required=True,
        help="sections seed, task, methods, projection, ablation, lds: JSON text or a YAML file",
    )
    add_material_arguments(command)
    add_bank_arguments(command)
    command.add_argument("--variants", action=Paths, required=True, help="features of all projections")
    command.add_argument("--output", type=Path, required=True, help="table of the ablation")
    command.run(main)
