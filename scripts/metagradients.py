"""Differentiate one training run: the scores of all targets, exactly; continues after a kill."""

from pathlib import Path

from trakway.config import read_settings
from trakway.plan import code_files
from trakway.runtime.command import Command


def main(arguments):
    from trakway.metagradients.point import point_of
    from trakway.metagradients.scores import Differentiated, write_scores
    from trakway.storage.files import read_table, write_json
    from trakway.storage.fingerprint import code_digest, data_digest, file_digest, fingerprint
    from trakway.tasks import build_task

    settings = read_settings(arguments.settings)
    task = build_task(settings, arguments.data, arguments.device, arguments.targets)
    training, number = settings["training"], arguments.run
    point = point_of(arguments.at, training, task.train_size, number, arguments.fraction, arguments.subsets)
    starts = settings["metagradient"]["start"]
    run = Differentiated(task, point, number, starts, arguments.memory, arguments.chunk)
    beside = [file_digest(path) for path in sorted(arguments.targets.parent.glob("*.*"))]
    code = code_digest(code_files(__file__, *task.sources))
    weights = [] if point.weights is None else point.weights
    mark = fingerprint(settings, point.training, number, weights, data_digest(arguments.data), beside, code)
    entries = len(read_table(arguments.targets))
    cost = write_scores(run, arguments.output.with_suffix(".npy"), entries, arguments.group, mark)
    write_json(arguments.output, {"start": starts})
    return cost


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings",
        required=True,
        help="what the task is built from, training, metagradient: JSON text or a YAML file",
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument("--run", type=int, required=True, help="number of the run, part of its seed")
    command.add_argument(
        "--at", default="full", choices=("full", "middle", "members"), help="where it is differentiated"
    )
    command.add_argument("--fraction", type=float, default=0.5, help="weight of every example where at is middle")
    command.add_argument("--subsets", type=Path, help="those of members (bool .npy), where at is members")
    command.add_argument("--memory", type=float, default=2000, help="MB of recorded states at once")
    command.add_argument("--group", type=int, default=64, help="targets gone back with together")
    command.add_argument("--chunk", type=int, help="targets that go through the model at once; what pays, without this")
    command.add_argument(
        "--output", type=Path, required=True, help="starts (JSON), beside the .npy, targets × starts × examples"
    )
    command.run(main)
