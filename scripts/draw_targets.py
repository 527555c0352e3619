"""Draw the targets from the test split: first the evaluated ones, then those that only choose ridge and threshold."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.storage.files import read_table, write_table
    from trakway.targets.table import draw_targets

    examples = read_table(arguments.data / "examples.parquet")
    labels = examples.loc[examples["split"] == "test", "label"].to_numpy()
    write_table(arguments.output, draw_targets(labels, arguments.count, arguments.tuning, arguments.seed))


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--count", type=int, required=True, help="targets to evaluate")
    command.add_argument("--tuning", type=int, required=True, help="held-out targets")
    command.add_argument("--seed", type=int, required=True, help="the experiment's seed")
    command.add_argument("--output", type=Path, required=True, help="table of targets (Parquet)")
    command.run(main)
