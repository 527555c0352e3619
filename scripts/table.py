"""Make one table of an experiment, and those beside it, as the file that declares it says."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.errors import UserError
    from trakway.plan.loading import load_from
    from trakway.report.given import given
    from trakway.report.tables import table_of
    from trakway.storage.files import write_table

    table, name = table_of(arguments.table), arguments.table.stem
    if not table or table.own_rule:
        raise UserError(f"{arguments.table}: found no TABLE that make() makes; allowed: a file with TABLE = Table(...)")
    made = load_from(arguments.table, "make")(**given(table, arguments.folder, read_settings(arguments.settings)))
    made = made if table.beside else {name: made}
    if set(made) != {name, *table.beside}:
        raise UserError(
            f"{arguments.table}: make: found the tables {', '.join(made)}; allowed: {', '.join([name, *table.beside])}"
        )
    for each, rows in made.items():
        write_table((arguments.output or arguments.folder / "tables") / f"{each}.csv", rows)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument(
        "table", type=Path, help="file that declares the table: src/trakway/validation/NAME.py, or a user's own"
    )
    command.add_argument("--folder", type=Path, required=True, help="the experiment's results, e.g. results/demo/NAME")
    command.add_argument("--settings", required=True, help="all settings of the experiment: JSON text or a YAML file")
    command.add_argument("--output", type=Path, help="folder for the tables, by default tables/ in the results")
    command.run(main)
