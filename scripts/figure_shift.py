"""Draw how far completions move after removing and retraining, against the random control."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.figures.shift import shift
    from trakway.figures.style import save
    from trakway.storage.files import read_table

    save(shift(read_table(arguments.table), title=arguments.title), arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--table", type=Path, required=True, help="table of distribution shifts")
    command.add_argument("--title", required=True, help="above the figure")
    command.add_argument("--output", type=Path, required=True, help="path without suffix: .png and .pdf are written")
    command.run(main)
