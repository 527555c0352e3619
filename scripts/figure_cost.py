"""Draw LDS against the CPU seconds of each method."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.figures.lds_cost import lds_cost
    from trakway.figures.style import save
    from trakway.storage.files import read_table

    table = read_table(arguments.table)
    save(lds_cost(table, title=arguments.title, ceiling=table["ceiling"].iloc[0]), arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--table", type=Path, required=True, help="table of costs")
    command.add_argument("--title", required=True, help="above the figure")
    command.add_argument("--output", type=Path, required=True, help="path without suffix: .png and .pdf are written")
    command.run(main)
