"""List every model of an experiment with its training size, final loss and quality on the test split."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    import pandas as pd

    from trakway.storage.files import read_table, write_table

    table = pd.concat([read_table(path) for path in arguments.models])
    columns = ["ensemble", "index", "subset", "seed", "train_size", "accuracy", "test_loss", "loss"]
    write_table(arguments.output, table[[column for column in columns if column in table]])


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--models", type=Path, nargs="+", required=True, help="tables of models, a shard each")
    command.add_argument("--output", type=Path, required=True, help="one table of all models")
    command.run(main)
