"""Write a trained model as a folder that plain transformers or diffusers loads, with its frozen parts and tokeniser."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.storage.files import read_json
    from trakway.tasks import build_task
    from trakway.training import load_model
    from trakway.training.pretrained import replacing_folder

    task = build_task(read_settings(arguments.settings), arguments.data)
    shard = read_json(arguments.models)
    chosen = {model["index"]: model for model in shard["models"]}
    model = load_model(task, arguments.models.parent / shard["folder"], chosen[arguments.index])
    with replacing_folder(arguments.output) as folder:
        task.export(model, folder)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--settings", required=True, help="what the task is built from: JSON text or a YAML file")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--models", type=Path, required=True, help="description of a shard of models (JSON)")
    command.add_argument("--index", type=int, required=True, help="which model of its ensemble")
    command.add_argument("--output", type=Path, required=True, help="folder to write")
    command.run(main)
