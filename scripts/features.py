"""Compute projected gradients of training examples and targets for one shard of members; continues after a kill."""

from pathlib import Path

from trakway.config import read_settings
from trakway.plan import code_files, is_window
from trakway.runtime.command import Command


def main(arguments):
    import numpy as np

    from trakway.features.extraction import Member, extract_features
    from trakway.projection import VERSION
    from trakway.storage.files import read_json, read_table, write_json
    from trakway.storage.fingerprint import code_digest, data_digest, file_digest, fingerprint
    from trakway.tasks import build_task
    from trakway.training import load_model

    settings = read_settings(arguments.settings)
    task = build_task(settings, arguments.data, arguments.device, arguments.targets, arguments.function)
    trained = task if arguments.function == "output" else build_task(settings, arguments.data, arguments.device)
    shard = read_json(arguments.models)
    folder = arguments.models.parent / shard["folder"]
    members = [
        Member(
            m["index"],
            m["checkpoints"][arguments.checkpoint]["file"],
            lambda m=m: load_model(task, folder, m, arguments.checkpoint),
        )
        for m in shard["models"]
    ]
    # Gradients at a window's timestep are those of the output: made once.
    targets = np.arange(0 if is_window(arguments.function) else len(read_table(arguments.targets)))
    identity = fingerprint(
        settings,
        shard,
        arguments.function,
        arguments.checkpoint,
        data_digest(arguments.data),
        [file_digest(path) for path in sorted(arguments.targets.parent.glob("*.*"))],
        code_digest(code_files(__file__, *task.sources)),
    )
    parameters, cost = extract_features(
        task, members, settings["projection"], targets, arguments.chunk, identity, arguments.output, trained
    )
    info = {
        "projection": settings["projection"],
        "definition": VERSION,
        "parameters": parameters,
        "function": arguments.function,
        "checkpoint": arguments.checkpoint,
        "members": [member.index for member in members],
        "learning_rates": [m["learning_rates"][arguments.checkpoint] for m in shard["models"]],
    }
    write_json(arguments.output / "info.json", info)
    return cost


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings", required=True, help="what the task is built from, and projection: JSON text or a YAML file"
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument("--models", type=Path, required=True, help="description of the members (JSON)")
    command.add_argument("--function", default="output", help="whose gradients: output, norm, or window-TIMESTEP")
    command.add_argument("--checkpoint", type=int, default=-1, help="which kept checkpoint of each member")
    command.add_argument("--chunk", type=int, default=50, help="examples at a time; bounds the memory")
    command.add_argument(
        "--output", type=Path, required=True, help="folder for train.npy, targets.npy, weights.npy, info.json"
    )
    command.run(main)
