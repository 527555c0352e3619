"""Measure how far removing the examples that a method names moves the images that models draw from a timestep."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.storage.files import read_table, write_table
    from trakway.validation.completions import Completions
    from trakway.validation.shift import evaluate

    settings = read_settings(arguments.settings)
    table = evaluate(
        Completions.load(arguments.completions, "features"),
        read_table(arguments.rows),
        settings["removal"],
        features=arguments.features_name,
        seed=settings["seed"],
        **settings["lds"],
    )
    write_table(arguments.output, table)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--settings", required=True, help="sections seed, lds and removal: JSON text or a YAML file")
    command.add_argument("--rows", type=Path, required=True, help="what each subset lacks (Parquet)")
    command.add_argument(
        "--completions",
        type=Path,
        nargs="+",
        required=True,
        help="folders of completions (index.parquet, features.npy) of the ensembles reference and removal",
    )
    command.add_argument("--features-name", required=True, help="what the features are, for the table")
    command.add_argument("--output", type=Path, required=True, help="table (CSV)")
    command.run(main)
