"""Draw how the scores of every two timesteps correlate."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.figures.style import save
    from trakway.figures.timestep_correlation import timestep_correlation
    from trakway.storage.files import read_table

    save(timestep_correlation(read_table(arguments.table), title=arguments.title), arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--table", type=Path, required=True, help="table of correlations")
    command.add_argument("--title", required=True, help="above the figure")
    command.add_argument("--output", type=Path, required=True, help="path without suffix: .png and .pdf are written")
    command.run(main)
