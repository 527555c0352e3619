"""Look at a training run before it is differentiated for all targets: is there a derivative worth its price?"""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.metagradients.point import point_of
    from trakway.metagradients.preflight import preflight
    from trakway.metagradients.scores import Differentiated
    from trakway.runtime.progress import track
    from trakway.storage.files import read_table, write_json
    from trakway.tasks import build_task

    settings = read_settings(arguments.settings)
    task = build_task(settings, arguments.data, arguments.device, arguments.targets)
    point = point_of(arguments.at, settings["training"], task.train_size, 0, arguments.fraction, arguments.subsets)
    run = Differentiated(task, point, 0, memory_mb=arguments.memory)
    trainings = iter(track(range(5), "trainings looked at"))
    found = preflight(run, len(read_table(arguments.targets)), lambda: next(trainings, None))
    next(trainings, None)
    if found["correlation"] < 0.9:
        print(
            f"note: the exact derivative and two retrainings agree to {found['correlation']:.2f} only: this recipe has"
            " hardly a straight line at its own weights; smaller rates, larger batches and smooth layers help"
        )
    write_json(arguments.output, found)


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings",
        required=True,
        help="what the task is built from, training, metagradient: JSON text or a YAML file",
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument(
        "--at", default="full", choices=("full", "middle", "members"), help="where it is differentiated"
    )
    command.add_argument("--fraction", type=float, default=0.5, help="weight of every example where at is middle")
    command.add_argument("--subsets", type=Path, help="those of members (bool .npy), where at is members")
    command.add_argument("--memory", type=float, default=2000, help="MB of recorded states at once")
    command.add_argument("--output", type=Path, required=True, help="JSON")
    command.run(main)
