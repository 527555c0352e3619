"""Compute projected gradients of training examples or of targets for one shard of members; continues after a kill."""

from pathlib import Path

from trakway.config import read_settings
from trakway.plan import code_files
from trakway.runtime.command import Command


def main(arguments):
    import numpy as np

    from trakway.features.extraction import Extractor
    from trakway.features.members import members_of
    from trakway.gradients import Preconditioner
    from trakway.projection import VERSION
    from trakway.storage.files import read_json, read_table, write_json
    from trakway.storage.fingerprint import code_digest, data_digest, file_digest, fingerprint
    from trakway.tasks import build_task

    settings = read_settings(arguments.settings)
    task = build_task(settings, arguments.data, arguments.device, arguments.targets, arguments.function)
    shard = read_json(arguments.models)
    members = members_of(task, shard, arguments.models.parent / shard["folder"], arguments.checkpoint)
    changes, preconditioner = [], None
    if arguments.preconditioner:
        folder = arguments.preconditioner.parent
        changes = [folder / name for name in read_json(arguments.preconditioner)["files"]]

        def preconditioner(m):
            return Preconditioner.load(changes[m], task.device)

    beside = sorted(arguments.targets.parent.glob("*.*")) if arguments.targets else []
    identity = fingerprint(
        settings,
        shard,
        arguments.function,
        arguments.checkpoint,
        data_digest(arguments.data),
        [file_digest(path) for path in [*changes, *beside]],
        code_digest(code_files(__file__, *task.sources)),
    )
    extractor = Extractor(task, members, settings["projection"], arguments.chunk, preconditioner, identity)
    info = {
        "projection": settings["projection"],
        "definition": VERSION,
        "function": arguments.function,
        "checkpoint": arguments.checkpoint,
        "members": [member.index for member in members],
    }
    if arguments.targets:
        entries = np.arange(len(read_table(arguments.targets)))
        parameters, cost = extractor.write_targets(arguments.output.parent, entries)
    else:
        parameters, cost = extractor.write_train(arguments.output.parent)
        info["learning_rates"] = [m["learning_rates"][arguments.checkpoint] for m in shard["models"]]
    write_json(arguments.output, info | {"parameters": parameters})
    return cost


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings", required=True, help="what the task is built from, and projection: JSON text or a YAML file"
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, help="table of targets, to compute theirs; else of training examples")
    command.add_argument("--models", type=Path, required=True, help="description of the members (JSON)")
    command.add_argument("--function", default="output", help="whose gradients: output, norm, or window-TIMESTEP")
    command.add_argument("--checkpoint", type=int, default=-1, help="which kept checkpoint of each member")
    command.add_argument("--preconditioner", type=Path, help="description of their preconditioners (JSON)")
    command.add_argument("--chunk", type=int, default=50, help="examples at a time; bounds the memory")
    command.add_argument(
        "--output", type=Path, required=True, help="train.json, beside train.npy and weights.npy, or targets.json"
    )
    command.run(main)
