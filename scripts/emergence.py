"""Follow the probability of each target's class in completions along its trajectory, with and without examples."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.storage.files import read_array, read_json, read_table, write_table
    from trakway.validation.completions import Completions
    from trakway.validation.emergence import evaluate

    settings = read_settings(arguments.settings)
    table = evaluate(
        Completions.load(arguments.completions, "probabilities"),
        read_table(arguments.rows),
        settings["removal"],
        settings["journey"]["timesteps"],
        read_array(arguments.final),
        read_json(arguments.data / "meta.json")["classes"],
        seed=settings["seed"],
        **settings["lds"],
    )
    write_table(arguments.output, table)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument(
        "--settings", required=True, help="sections seed, lds, journey and removal: JSON text or a YAML file"
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--rows", type=Path, required=True, help="what each subset lacks (Parquet)")
    command.add_argument(
        "--completions",
        type=Path,
        nargs="+",
        required=True,
        help="folders of completions (index.parquet, probabilities.npy) of the ensembles reference and removal",
    )
    command.add_argument(
        "--final", type=Path, required=True, help="probabilities of the final images, images × classes (.npy)"
    )
    command.add_argument("--output", type=Path, required=True, help="table (CSV)")
    command.run(main)
