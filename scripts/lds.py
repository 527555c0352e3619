"""Evaluate the scores of all methods by the linear datamodeling score, with intervals and the noise ceiling."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.attribution.reading import load_outputs
    from trakway.metrics.lds import evaluate, predicted, turned_round
    from trakway.storage.files import read_array, read_json, read_table, write_table

    settings = read_settings(arguments.settings)
    masks = read_array(arguments.subsets)
    scores = {path.stem: read_array(path) for path in arguments.scores}
    evaluated = len(next(iter(scores.values())))
    outputs = load_outputs(arguments.outputs, len(masks))[:, :, :evaluated]
    tables = evaluate(
        {name: predicted(values, masks) for name, values in scores.items()},
        outputs,
        read_table(arguments.targets),
        seed=settings["seed"],
        resamples=settings["lds"]["resamples"],
        level=settings["lds"]["level"],
        steps_only=arguments.steps_only,
        records={path.stem: read_json(path) for path in arguments.records},
    )
    write_table(arguments.output / "lds_targets.csv", tables.targets)
    write_table(arguments.output / "lds_pairs.csv", tables.pairs)
    write_table(arguments.output / "lds.csv", tables.lds)
    for said in turned_round(tables.lds):
        print(f"note: {said}")


if __name__ == "__main__":
    from trakway.attribution.arguments import add_bank_arguments
    from trakway.runtime.paths import Paths

    command = Command(__doc__)
    command.add_argument("--settings", required=True, help="sections seed and lds: JSON text or a YAML file")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument("--scores", action=Paths, required=True, help="score files, named by their methods")
    command.add_argument("--records", action=Paths, required=True, help="their records (JSON)")
    add_bank_arguments(command)
    command.add_argument("--steps-only", nargs="*", default=[], help="methods that mean nothing without a timestep")
    command.add_argument(
        "--output", type=Path, required=True, help="folder for lds.csv, lds_targets.csv, lds_pairs.csv"
    )
    command.run(main)
