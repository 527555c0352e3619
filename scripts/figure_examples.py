"""Draw, for the first targets, the most helpful and the most harmful training images of one method."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    import numpy as np
    import pandas as pd

    from trakway.data import ImageData
    from trakway.figures.examples import examples, extremes
    from trakway.figures.style import save
    from trakway.storage.files import read_array, read_table

    data = ImageData.load(arguments.data)
    table = read_table(arguments.targets).head(arguments.count)
    margins = np.concatenate([read_array(path) for path in arguments.outputs]).mean(0)
    names = np.array(data.classes)
    shown = pd.DataFrame(
        {
            "target": table["target"],
            "label": names[table["label"]],
            "margin": margins[: len(table)],
        }
    )
    picks = extremes(read_array(arguments.scores), table["target"].to_numpy(), arguments.examples)
    images = data.test_images[table["row"].to_numpy()]
    figure = examples(shown, images, picks, data.train_images, names[data.train_labels], title=arguments.title)
    save(figure, arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument("--scores", type=Path, required=True, help="scores of the method")
    command.add_argument(
        "--outputs", type=Path, nargs="+", required=True, help="outputs of models trained on everything"
    )
    command.add_argument("--count", type=int, required=True, help="targets to show")
    command.add_argument("--examples", type=int, required=True, help="training images of each side")
    command.add_argument("--title", required=True, help="above the figure")
    command.add_argument("--output", type=Path, required=True, help="path without suffix: .png and .pdf are written")
    command.run(main)
