"""Measure how margins and predictions change when the examples that a method names are removed."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    import numpy as np

    from trakway.plan import modality_of
    from trakway.storage.files import read_array, read_table, write_table
    from trakway.validation.removal import evaluate_steps

    settings = read_settings(arguments.settings)
    reference = np.concatenate([read_array(path) for path in arguments.reference])
    outputs = np.concatenate([read_array(path) for path in arguments.outputs])
    tables = evaluate_steps(
        reference,
        outputs,
        read_table(arguments.rows),
        read_table(arguments.targets),
        settings["removal"]["timesteps"],
        seed=settings["seed"],
        border="border" in modality_of(settings).traits,
        paired=settings["training"]["paired"],
        **settings["lds"],
    )
    for name in ("brittleness", "flip_ratios", "removal"):
        write_table(arguments.output / f"{name}.csv", tables[name])


if __name__ == "__main__":
    from trakway.runtime.paths import Paths

    command = Command(__doc__)
    command.add_argument(
        "--settings",
        required=True,
        help="sections seed, task, lds, removal and training.paired: JSON text or a YAML file",
    )
    command.add_argument("--rows", type=Path, required=True, help="what each subset lacks (Parquet)")
    command.add_argument("--targets", type=Path, required=True, help="table of targets (Parquet)")
    command.add_argument("--reference", action=Paths, required=True, help="outputs of models trained on everything")
    command.add_argument("--outputs", action=Paths, required=True, help="outputs of models trained after removal")
    command.add_argument("--output", type=Path, required=True, help="folder for the tables")
    command.run(main)
