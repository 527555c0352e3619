"""Draw one figure of an experiment, as the file that declares it says."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.errors import UserError
    from trakway.figures.saving import save_as
    from trakway.figures.style import introduce, look
    from trakway.plan.loading import load_from
    from trakway.plan.methods import main_method, methods_of
    from trakway.report.figures import figure_of
    from trakway.report.given import given

    figure = figure_of(arguments.figure)
    if not figure:
        raise UserError(f"{arguments.figure}: found no FIGURE; allowed: a file with a line FIGURE = Figure(...)")
    settings = read_settings(arguments.settings)
    introduce({name: chosen.method for name, chosen in methods_of(settings).items()})
    title = (arguments.title or figure.title).replace("{main}", look(main_method(settings)).label)
    drawn = load_from(arguments.figure, "draw")(**given(figure, arguments.folder, settings), title=title)
    path = (arguments.output or arguments.folder / "figures") / arguments.figure.stem
    save_as(figure.form, drawn, path)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument(
        "figure", type=Path, help="file that declares the figure: src/trakway/figures/NAME.py, or a user's own"
    )
    command.add_argument("--folder", type=Path, required=True, help="the experiment's results, e.g. results/demo/NAME")
    command.add_argument("--settings", required=True, help="all settings of the experiment: JSON text or a YAML file")
    command.add_argument(
        "--title", help="above the figure, by default the declared one; {main}: the main method's label"
    )
    command.add_argument("--output", type=Path, help="folder for the figure, by default figures/ in the results")
    command.run(main)
