"""Draw the targets of a diffusion experiment: samples of the reference model with their journey, and real images."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.generation.journeys import draw_journeys
    from trakway.storage.files import read_json
    from trakway.tasks import build_task
    from trakway.training import load_model

    settings = read_settings(arguments.settings)
    task = build_task(settings, arguments.data, arguments.device)
    shard = read_json(arguments.models)
    model = load_model(task, arguments.models.parent / shard["folder"], shard["models"][0])
    draw_journeys(task, model, settings["targets"], arguments.output)


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings",
        required=True,
        help="sections seed, task, model, diffusion, journey, targets: JSON text or a YAML file",
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--models", type=Path, required=True, help="description of the reference models (JSON)")
    command.add_argument(
        "--output", type=Path, required=True, help="folder for targets.parquet, images.npy, noisy.npy, estimates.npy"
    )
    command.run(main)
