"""Animate one sample that emerges from noise, with the training images that help each step most."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.data import ImageData
    from trakway.errors import UserError
    from trakway.figures.animation import moments, write_gif
    from trakway.figures.examples import extremes
    from trakway.figures.pictures import to_bytes
    from trakway.figures.trajectories import Trajectories
    from trakway.storage.files import read_array

    found = Trajectories.read(arguments.targets)
    entries = found.whole()
    entries = entries[entries["target"] == arguments.target]
    if entries.empty:
        known = ", ".join(map(str, found.entries["target"].unique()))
        raise UserError(f"--target: found {arguments.target}, allowed: an evaluated generated sample ({known})")
    figures = moments(
        entries,
        to_bytes(found.at(found.noisy, entries)),
        to_bytes(found.at(found.estimates, entries)),
        to_bytes(found.samples[arguments.target]),
        extremes(read_array(arguments.scores), entries["entry"].to_numpy(), arguments.examples),
        ImageData.load(arguments.data).train_images,
        title=arguments.title,
    )
    write_gif(figures, arguments.output)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets, its arrays beside it")
    command.add_argument("--scores", type=Path, required=True, help="scores of the method")
    command.add_argument("--target", type=int, default=0, help="which sample")
    command.add_argument("--examples", type=int, default=6, choices=range(1, 7), help="training images a step")
    command.add_argument("--title", required=True, help="above the pictures")
    command.add_argument("--output", type=Path, required=True, help="the .gif")
    command.run(main)
