"""Compute the scores of one attribution method: evaluated targets × training examples, written whole or not at all."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    import numpy as np

    from trakway.attribution.arguments import material_of
    from trakway.attribution.scoring import run_method
    from trakway.plan import methods_of
    from trakway.storage.files import replacing, write_json

    settings = read_settings(arguments.settings)
    material, evaluated = material_of(arguments, settings)
    with replacing(arguments.output) as temporary:
        out = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=(evaluated, material.size))
        record = run_method(methods_of(settings)[arguments.method], material, evaluated, out)
        out.flush()
    write_json(arguments.record, record)


if __name__ == "__main__":
    from trakway.attribution.arguments import add_material_arguments

    command = Command(__doc__, computes=True)
    command.add_argument("--method", required=True, help="e.g. trak")
    command.add_argument("--settings", required=True, help="sections seed, task and methods: JSON text or a YAML file")
    add_material_arguments(command)
    command.add_argument("--record", type=Path, required=True, help="what was used and chosen (JSON)")
    command.add_argument("--output", type=Path, required=True, help="float32 .npy, evaluated targets × n")
    command.run(main)
