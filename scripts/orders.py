"""Write in which order the targets and examples of all score files are: their rows and columns."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.storage.files import read_table, write_table

    examples = read_table(arguments.data / "examples.parquet")
    examples = examples[examples["split"] == "train"].drop(columns=["split", "row"])
    targets = read_table(arguments.targets)
    for name, table in (("targets", targets), ("examples", examples)):
        table = table.reset_index(drop=True)
        table.insert(0, "position", range(len(table)))
        write_table(arguments.output / f"{name}.csv", table)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument("--output", type=Path, required=True, help="folder for targets.csv and examples.csv")
    command.run(main)
