"""Draw LDS against the CPU seconds of each method."""

from pathlib import Path

from trakway.command import Command


def main(arguments):
    from trakway.figures.lds_cost import lds_cost
    from trakway.figures.style import save
    from trakway.files import read_table

    ceiling = read_table(arguments.lds)["ceiling"].iloc[0]
    save(lds_cost(read_table(arguments.table), title=arguments.title, ceiling=ceiling), arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--table", type=Path, required=True, help="table of costs")
    command.add_argument("--lds", type=Path, required=True, help="table of LDS, for the ceiling")
    command.add_argument("--title", required=True, help="above the figure")
    command.add_argument("--output", type=Path, required=True, help="path without suffix: .png and .pdf are written")
    command.run(main)
