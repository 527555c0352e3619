"""Draw, for the first samples, the training images that helped and harmed each step of their trajectories most."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.data import ImageData
    from trakway.figures.examples import extremes
    from trakway.figures.journeys import journeys
    from trakway.figures.pictures import to_bytes
    from trakway.figures.style import save
    from trakway.figures.trajectories import Trajectories
    from trakway.storage.files import read_array

    found = Trajectories.read(arguments.targets)
    entries = found.whole(arguments.count)
    picks = extremes(read_array(arguments.scores), entries["entry"].to_numpy(), arguments.examples)
    samples = found.samples[entries["target"].unique()]
    figure = journeys(
        entries,
        to_bytes(found.at(found.estimates, entries)),
        to_bytes(samples),
        picks,
        ImageData.load(arguments.data).train_images,
        title=arguments.title,
    )
    save(figure, arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets, its arrays beside it")
    command.add_argument("--scores", type=Path, required=True, help="scores of the method")
    command.add_argument("--count", type=int, required=True, help="samples to show")
    command.add_argument("--examples", type=int, required=True, help="training images of each side")
    command.add_argument("--title", required=True, help="above the figure")
    command.add_argument("--output", type=Path, required=True, help="path without suffix: .png and .pdf are written")
    command.run(main)
