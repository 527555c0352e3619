"""Draw the training curves of all ensembles."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    import pandas as pd

    from trakway.figures.style import save
    from trakway.figures.training import training
    from trakway.storage.files import read_table

    curves = pd.concat([read_table(path) for path in arguments.curves])
    save(training(curves, read_table(arguments.models), title=arguments.title), arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--curves", type=Path, nargs="+", required=True, help="tables of training curves")
    command.add_argument("--models", type=Path, required=True, help="table of models")
    command.add_argument("--title", required=True, help="above the figure")
    command.add_argument("--output", type=Path, required=True, help="path without suffix: .png and .pdf are written")
    command.run(main)
