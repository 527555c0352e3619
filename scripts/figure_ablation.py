"""Draw the LDS of the main method with one setting varied at a time."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.figures.ablation import ablation
    from trakway.figures.style import look, save
    from trakway.storage.files import read_table

    title = arguments.title.format(method=look(arguments.method).label)
    save(ablation(read_table(arguments.table), title=title), arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--table", type=Path, required=True, help="table of the ablation")
    command.add_argument("--method", required=True, help="whose settings are changed, e.g. trak")
    command.add_argument("--title", required=True, help="above the figure; {method} stands for the method's name")
    command.add_argument("--output", type=Path, required=True, help="path without suffix: .png and .pdf are written")
    command.run(main)
