"""Compute what the last layer of each member sees of training examples and targets."""

from pathlib import Path

from trakway.command import Command
from trakway.config import read_settings


def main(arguments):
    from trakway.features import Member, extract_representations
    from trakway.files import read_json, read_table, write_array
    from trakway.tasks import build_task
    from trakway.training import load_model

    task = build_task(read_settings(arguments.settings), arguments.data, arguments.device)
    members = []
    for path in arguments.models:
        shard = read_json(path)
        members += [
            Member(
                m["index"],
                m["checkpoints"][-1]["file"],
                lambda m=m, f=path.parent / shard["folder"]: load_model(task, f, m),
            )
            for m in shard["models"]
        ]
    train, targets = extract_representations(
        task, members, read_table(arguments.targets)["row"].to_numpy(copy=True), arguments.chunk
    )
    write_array(arguments.output / "train.npy", train)
    write_array(arguments.output / "targets.npy", targets)


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument("--settings", required=True, help="sections seed, task, model: JSON text or a YAML file")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument("--models", type=Path, nargs="+", required=True, help="descriptions of the members (JSON)")
    command.add_argument("--chunk", type=int, default=500, help="examples at a time")
    command.add_argument("--output", type=Path, required=True, help="folder for train.npy and targets.npy")
    command.run(main)
