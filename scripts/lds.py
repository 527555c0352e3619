"""Evaluate the scores of all methods by the linear datamodeling score, with intervals and the noise ceiling."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.attribution.loading import load_outputs
    from trakway.metrics.lds import evaluate, predicted
    from trakway.storage.files import read_array, read_json, read_table, write_table

    settings = read_settings(arguments.settings)
    masks = read_array(arguments.subsets)
    scores = {path.stem: read_array(path) for path in arguments.scores}
    evaluated = len(next(iter(scores.values())))
    outputs = load_outputs(arguments.outputs, arguments.seeds)[:, :, :evaluated]
    tables = evaluate(
        {name: predicted(values, masks) for name, values in scores.items()},
        outputs,
        read_table(arguments.targets),
        seed=settings["seed"],
        resamples=settings["lds"]["resamples"],
        level=settings["lds"]["level"],
        records={path.stem: read_json(path) for path in arguments.records},
    )
    write_table(arguments.output / "lds_targets.csv", tables.targets)
    write_table(arguments.output / "lds_pairs.csv", tables.pairs)
    write_table(arguments.output / "lds.csv", tables.lds)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--settings", required=True, help="sections seed and lds: JSON text or a YAML file")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument("--scores", type=Path, nargs="+", required=True, help="score files, named by their methods")
    command.add_argument("--records", type=Path, nargs="+", required=True, help="their records (JSON)")
    command.add_argument("--subsets", type=Path, required=True, help="subsets of the evaluation bank")
    command.add_argument("--outputs", type=Path, nargs="+", required=True, help="outputs of its models, in order")
    command.add_argument("--seeds", type=int, required=True, help="models of each subset")
    command.add_argument(
        "--output", type=Path, required=True, help="folder for lds.csv, lds_targets.csv, lds_pairs.csv"
    )
    command.run(main)
