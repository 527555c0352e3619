"""Compute once what all models of an experiment share of its examples: tokens, and the states of frozen layers."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.plan.loading import load

    settings = read_settings(arguments.settings)
    return load("task", settings["task"]).encode(settings, arguments.data, arguments.device)


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument("--settings", required=True, help="sections seed, task, model: JSON text or a YAML file")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data, and of what is written")
    command.run(main)
