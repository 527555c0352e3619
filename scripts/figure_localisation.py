"""Draw the training images behind patches of the first samples, beside those behind the whole image."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.data import ImageData
    from trakway.figures.examples import extremes
    from trakway.figures.localisation import localisation
    from trakway.figures.pictures import to_bytes
    from trakway.figures.style import save
    from trakway.figures.trajectories import Trajectories
    from trakway.storage.files import read_array

    boxes = {patch["name"]: patch["box"] for patch in read_settings(arguments.settings)["journey"]["patches"]}
    found = Trajectories.read(arguments.targets)
    patches = found.patches(arguments.count)
    patches["box"] = patches["patch"].map(boxes)
    entries = patches[["entry", "whole"]].stack().unique()
    figure = localisation(
        patches,
        to_bytes(found.at(found.estimates, patches)),
        extremes(read_array(arguments.scores), entries, arguments.examples),
        ImageData.load(arguments.data).train_images,
        title=arguments.title,
    )
    save(figure, arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--settings", required=True, help="section journey: JSON text or a YAML file")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets, its arrays beside it")
    command.add_argument("--scores", type=Path, required=True, help="scores of the method")
    command.add_argument("--count", type=int, required=True, help="samples to show")
    command.add_argument("--examples", type=int, required=True, help="training images of each part")
    command.add_argument("--title", required=True, help="above the figure")
    command.add_argument("--output", type=Path, required=True, help="path without suffix: .png and .pdf are written")
    command.run(main)
