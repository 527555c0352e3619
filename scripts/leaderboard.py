"""Rank all methods on all experiments whose results are published: a table, and a figure of LDS against cost."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.figures.leaderboard import draw
    from trakway.figures.saving import save
    from trakway.storage.files import write_table
    from trakway.validation.leaderboard import leaderboard

    table = leaderboard(arguments.published)
    write_table(arguments.output, table)
    save(draw(table), arguments.output.with_suffix(""))


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("published", type=Path, nargs="+", help="folders of published results, one an experiment")
    command.add_argument("--output", type=Path, required=True, help="CSV; the figure goes beside it")
    command.run(main)
