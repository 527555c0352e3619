"""Compute once what all models of an experiment share of its examples: tokens, and the states of frozen layers."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.plan.loading import load

    settings = read_settings(arguments.settings)
    task = load("task", settings["task"])
    if arguments.autoencoder is None:
        return task.encode(settings, arguments.data, arguments.device)

    from trakway.plan import task_settings
    from trakway.storage.files import read_json
    from trakway.tasks import build_task
    from trakway.training import load_model

    shard = read_json(arguments.autoencoder)
    own = build_task(task_settings(settings, "autoencoder"), arguments.data, arguments.device)
    network = load_model(own, arguments.autoencoder.parent / shard["folder"], shard["models"][0])
    return task.encode(settings, arguments.data, arguments.device, network)


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings", required=True, help="sections seed, task, model, autoencoder: JSON text or a YAML file"
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data, and of what is written")
    command.add_argument(
        "--autoencoder", type=Path, help="description of the trained autoencoder (JSON), if there is one"
    )
    command.run(main)
