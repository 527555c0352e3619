"""Prepare a data set: images as memory maps, and a table of examples with their source and checksum."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.data import prepare
    from trakway.data.captioned import CaptionData
    from trakway.storage.contents import remember

    settings = read_settings(arguments.settings)
    prepare(settings["dataset"], settings["seed"], arguments.output, threads=arguments.threads)
    if arguments.exchanged:
        CaptionData.load(arguments.output).check_exchange(arguments.exchanged)
    if arguments.own:
        remember(arguments.own)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--settings", required=True, help="sections seed and dataset: JSON text or a YAML file")
    command.add_argument("--output", type=Path, required=True, help="folder for the prepared data")
    command.add_argument("--own", type=Path, help="folder with the stamp of the user's own files")
    command.add_argument(
        "--exchanged", type=int, default=0, help="how many captions are to be exchanged for ones of other classes"
    )
    command.add_argument("--threads", type=int, default=1, help="threads that decode images")
    command.run(main)
