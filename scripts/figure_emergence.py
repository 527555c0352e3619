"""Draw the class probability of completions along the trajectory, before and after removing and retraining."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.figures.emergence import emergence
    from trakway.figures.style import save
    from trakway.storage.files import read_table

    save(emergence(read_table(arguments.table), count=arguments.count, title=arguments.title), arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--table", type=Path, required=True, help="table of class probabilities")
    command.add_argument("--count", type=int, required=True, help="samples to show beside the mean")
    command.add_argument("--title", required=True, help="above the figure")
    command.add_argument("--output", type=Path, required=True, help="path without suffix: .png and .pdf are written")
    command.run(main)
