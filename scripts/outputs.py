"""Evaluate the models of one shard on the targets, and how good they are on the test split."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    import pandas as pd

    from trakway.outputs.evaluation import ensemble_outputs
    from trakway.storage.files import read_json, read_table, write_array, write_table
    from trakway.tasks import build_task
    from trakway.training import load_model

    settings = read_settings(arguments.settings)
    task = build_task(settings, arguments.data, arguments.device, arguments.targets)
    roles = read_table(arguments.targets)["role"] if arguments.targets else []
    count = sum(role in arguments.roles for role in roles)
    shard = read_json(arguments.models)
    folder = arguments.models.parent / shard["folder"]
    models = ((model["checkpoints"][-1]["file"], load_model(task, folder, model)) for model in shard["models"])
    outputs, quality = ensemble_outputs(task, models, len(shard["models"]), count)
    table = pd.DataFrame(shard["models"])[["index", "subset", "seed", "train_size", "loss"]]
    write_table(arguments.table, table.assign(ensemble=shard["ensemble"]).join(pd.DataFrame(quality)))
    write_array(arguments.output, outputs)


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument("--settings", required=True, help="what the task is built from: JSON text or a YAML file")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, help="table of targets, evaluated ones first")
    command.add_argument("--roles", nargs="*", default=[], help="whose outputs are kept: evaluation, tuning")
    command.add_argument("--models", type=Path, required=True, help="description of the models (JSON)")
    command.add_argument("--table", type=Path, required=True, help="table of the models with their quality")
    command.add_argument("--output", type=Path, required=True, help="float64 .npy, models × targets of these roles")
    command.run(main)
