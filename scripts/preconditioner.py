"""Fit the preconditioners of one shard of members; all functions and projections of a member share its own."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.features.extraction import load_member
    from trakway.features.members import members_of
    from trakway.gradients import build_preconditioner
    from trakway.runtime.progress import track
    from trakway.storage.files import read_json, write_json
    from trakway.tasks import build_task

    settings = read_settings(arguments.settings)
    task = build_task(settings, arguments.data, arguments.device)
    shard = read_json(arguments.models)
    members = members_of(task, shard, arguments.models.parent / shard["folder"], arguments.checkpoint)
    files = []
    for member in track(members, "preconditioners"):
        change = build_preconditioner(settings["projection"], task, load_member(task, member), arguments.chunk)
        files.append(f"{member.index:05d}.safetensors")
        change.save(arguments.output.parent / files[-1])
    write_json(arguments.output, {"projection": settings["projection"], "files": files})


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings", required=True, help="what the task is built from, and projection: JSON text or a YAML file"
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--models", type=Path, required=True, help="description of the members (JSON)")
    command.add_argument("--checkpoint", type=int, default=-1, help="which kept checkpoint of each member")
    command.add_argument("--chunk", type=int, default=50, help="examples at a time; bounds the memory")
    command.add_argument("--output", type=Path, required=True, help="description (JSON), beside a file a member")
    command.run(main)
