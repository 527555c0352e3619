"""Evaluate the models of one shard on the targets, and their accuracy on the whole test split."""

from pathlib import Path

from trakway.command import Command
from trakway.config import read_settings


def main(arguments):
    import pandas as pd

    from trakway.files import read_json, read_table, write_array, write_table
    from trakway.outputs import ensemble_outputs
    from trakway.tasks import build_task
    from trakway.training import load_model

    task = build_task(read_settings(arguments.settings), arguments.data, arguments.device)
    shard = read_json(arguments.models)
    folder = arguments.models.parent / shard["folder"]
    models = ((model["checkpoints"][-1]["file"], load_model(task, folder, model)) for model in shard["models"])
    outputs = ensemble_outputs(task, models, len(shard["models"]))
    table = pd.DataFrame(shard["models"])[["index", "subset", "seed", "train_size", "loss"]]
    table = table.assign(ensemble=shard["ensemble"], accuracy=(outputs > 0).mean(1))
    write_table(arguments.table, table)
    write_array(arguments.output, outputs[:, read_table(arguments.targets)["row"]])


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument("--settings", required=True, help="sections seed, task, model: JSON text or a YAML file")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument("--models", type=Path, required=True, help="description of the models (JSON)")
    command.add_argument("--table", type=Path, required=True, help="table of the models with their accuracy")
    command.add_argument("--output", type=Path, required=True, help="float64 .npy, models × targets")
    command.run(main)
