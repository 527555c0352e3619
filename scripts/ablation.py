"""Measure the LDS of the main method with one setting varied at a time."""

import dataclasses
from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    import numpy as np
    import pandas as pd

    from trakway.attribution.arguments import material_of
    from trakway.attribution.loading import load_features, load_outputs
    from trakway.attribution.scoring import run_method
    from trakway.metrics.lds import evaluate_pooled, predicted
    from trakway.plan import main_method
    from trakway.runtime.progress import track
    from trakway.storage.files import read_array, read_table, write_table
    from trakway.validation.ablation import variants

    settings = read_settings(arguments.settings)
    material, evaluated = material_of(arguments, settings["seed"])
    masks = read_array(arguments.subsets)
    outputs = load_outputs(arguments.outputs, arguments.seeds)[:, :, :evaluated]
    folders: dict[str, list[Path]] = {}
    for folder in arguments.variants:  # features/PROJECTION/FUNCTION/CHECKPOINT/SHARD
        folders.setdefault(folder.parents[2].name, []).append(folder)
    predictions, rows = {}, []
    for variant in track(list(variants(settings)), "ablation runs"):
        features = load_features(folders[variant.projection])[: variant.members]
        if variant.checkpoints > 1:
            features = [entry for members in material.checkpoints[-variant.checkpoints :] for entry in members]
        out = np.empty((evaluated, material.size), np.float32)
        part = dataclasses.replace(material, features=features, cache={})
        record = run_method(main_method(settings), part, evaluated, variant.scores, out)
        predictions[f"{variant.axis} {variant.value}"] = predicted(out, masks)
        rows.append(
            {"axis": variant.axis, "value": variant.value, **{k: record[k] for k in ("members", "dim", "ridge")}}
        )
    table = read_table(arguments.targets)
    lds = evaluate_pooled(predictions, outputs, table, seed=settings["seed"], **settings["lds"])
    write_table(arguments.output, pd.DataFrame(rows).join(lds[["lds", "lds_low", "lds_high", "ceiling"]]))


if __name__ == "__main__":
    from trakway.attribution.arguments import add_material_arguments

    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings",
        required=True,
        help="sections seed, task, methods, projection, scores, ablation, lds: JSON text or a YAML file",
    )
    add_material_arguments(command)
    command.add_argument("--variants", type=Path, nargs="+", required=True, help="feature folders of all projections")
    command.add_argument("--subsets", type=Path, required=True, help="subsets of the evaluation bank")
    command.add_argument("--outputs", type=Path, nargs="+", required=True, help="outputs of its models, in order")
    command.add_argument("--seeds", type=int, required=True, help="models of each subset")
    command.add_argument("--output", type=Path, required=True, help="table of the ablation")
    command.run(main)
