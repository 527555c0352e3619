"""Influences of all training examples on all targets by one member's curvature; continues after a kill."""

from pathlib import Path

from trakway.config import read_settings
from trakway.plan import INFLUENCES, code_files
from trakway.runtime.command import Command


def main(arguments):
    from trakway.curvature.influence import Influence
    from trakway.features.extraction import load_member
    from trakway.features.members import members_of
    from trakway.storage.files import read_json, read_table, write_json
    from trakway.storage.fingerprint import code_digest, data_digest, file_digest, fingerprint
    from trakway.tasks import build_task

    settings = read_settings(arguments.settings)
    task = build_task(settings, arguments.data, arguments.device, arguments.targets)
    shard = read_json(arguments.models)
    (described,) = (model for model in shard["models"] if model["index"] == arguments.member)
    (member,) = members_of(task, {"models": [described]}, arguments.models.parent / shard["folder"])
    entries = len(read_table(arguments.targets))
    dampings = settings["scores"]["damping"]
    curvature = settings["curvature"]
    influence = Influence(
        task,
        lambda: load_member(task, member),
        curvature,
        dampings,
        arguments.kind,
        entries,
        arguments.chunk,
        arguments.memory,
    )
    beside = [file_digest(path) for path in sorted(arguments.targets.parent.glob("*.*"))]
    code = code_digest(code_files(__file__, *task.sources))
    mark = fingerprint(
        settings, arguments.kind, described["checkpoints"][-1], data_digest(arguments.data), beside, code
    )
    cost = influence.write(arguments.output.with_suffix(".npy"), mark)
    write_json(arguments.output, {"damping": dampings})
    return cost


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings",
        required=True,
        help="what the task is built from, curvature, and damping of scores: JSON text or a YAML file",
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument("--models", type=Path, required=True, help="description of the members (JSON)")
    command.add_argument("--member", type=int, required=True, help="whose curvature, by its index")
    command.add_argument("--kind", required=True, choices=INFLUENCES, help="how the system is solved")
    command.add_argument("--chunk", type=int, default=50, help="examples at a time; bounds the memory")
    command.add_argument("--memory", type=float, default=2000, help="MB that solving may take")
    command.add_argument("--output", type=Path, required=True, help="description (JSON), beside the array (.npy)")
    command.run(main)
