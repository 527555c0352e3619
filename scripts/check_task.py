"""Try a user's own task, network and data on two batches, before anything is trained with them."""

from pathlib import Path

from trakway.config import read_settings
from trakway.plan import task_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.storage.files import write_json
    from trakway.validation.contract import check_task

    settings = read_settings(arguments.settings)
    check_task(settings, arguments.data, arguments.device)
    if settings.get("domain"):
        check_task(task_settings(settings, "domain", "training"), arguments.data, arguments.device)
    write_json(arguments.output, {"task": settings["task"], "model": settings["model"]})


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument("--settings", required=True, help="what the task is built from: JSON text or a YAML file")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--output", type=Path, required=True, help="what was tried (JSON)")
    command.run(main)
