"""Correlate the scores of a generated image at one timestep with those at the others."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.storage.files import read_array, read_table, write_table
    from trakway.validation.timestep_correlation import evaluate

    settings = read_settings(arguments.settings)
    scores = {path.stem: read_array(path) for path in arguments.scores}
    table = evaluate(scores, read_table(arguments.targets), seed=settings["seed"], **settings["lds"])
    write_table(arguments.output, table)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--settings", required=True, help="sections seed and lds: JSON text or a YAML file")
    command.add_argument("--scores", type=Path, nargs="+", required=True, help="score files, named by their methods")
    command.add_argument("--targets", type=Path, required=True, help="table of targets (Parquet)")
    command.add_argument("--output", type=Path, required=True, help="table (CSV)")
    command.run(main)
