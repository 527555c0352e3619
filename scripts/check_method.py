"""Try what can be tried of a user's own method before anything is trained: its file is imported, or its array read."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.attribution.scoring import check_own
    from trakway.plan import methods_of, modality_of
    from trakway.storage.contents import remember
    from trakway.storage.files import read_json, write_json

    if arguments.own:
        remember(arguments.own)
    settings = read_settings(arguments.settings)
    chosen, count = methods_of(settings)[arguments.method], settings["targets"]["count"]
    drawn = modality_of(settings).targets == "drawn"
    size = read_json(arguments.data / "meta.json")["counts"]["train"]
    check_own(chosen, count, count + settings["targets"]["tuning"] if drawn else None, size)
    write_json(arguments.output, {"method": arguments.method})


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--method", required=True, help="its name in the experiment")
    command.add_argument("--settings", required=True, help="sections seed, task, methods and targets: JSON or YAML")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--own", type=Path, help="folder of what is known of its file, whose contents are taken down")
    command.add_argument("--output", type=Path, required=True, help="what was tried (JSON)")
    command.run(main)
