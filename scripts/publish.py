"""Copy the small tables and figures of an experiment to the folder of published results."""

import shutil
from pathlib import Path

from trakway.runtime.command import Command
from trakway.storage.files import replacing


def main(arguments):
    for path in arguments.files:
        with replacing(arguments.output / path.name) as temporary:
            shutil.copyfile(path, temporary)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--files", type=Path, nargs="+", required=True, help="what to publish")
    command.add_argument("--output", type=Path, required=True, help="folder of the published results")
    command.run(main)
