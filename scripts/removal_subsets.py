"""Build the training subsets of the removal experiment from the scores of every method."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.storage.files import read_array, read_json, read_table, write_array, write_table
    from trakway.subsets import removal_subsets

    settings = read_settings(arguments.settings)
    scores = {path.stem: read_array(path) for path in arguments.scores}
    n = read_json(arguments.data / "meta.json")["counts"]["train"]
    entries = read_table(arguments.targets)
    masks, table = removal_subsets(settings["removal"], scores, entries, n, settings["seed"], arguments.per_step)
    write_table(arguments.table, table)
    write_array(arguments.output, masks)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--settings", required=True, help="sections seed and removal: JSON text or a YAML file")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--scores", type=Path, nargs="+", required=True, help="score files, named by their methods")
    command.add_argument("--targets", type=Path, required=True, help="table of targets (Parquet)")
    command.add_argument(
        "--per-step", nargs="*", default=[], help="those of the methods whose scores differ from step to step"
    )
    command.add_argument("--table", type=Path, required=True, help="what each subset lacks (Parquet)")
    command.add_argument("--output", type=Path, required=True, help="bool .npy, subsets × n")
    command.run(main)
