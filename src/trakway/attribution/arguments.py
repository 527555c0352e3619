"""The command-line arguments that name an experiment's material, shared by all scripts that score."""

import argparse
from pathlib import Path

from trakway.attribution.loading import load_material
from trakway.attribution.material import Material


def add_material_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that `material_of` reads; what is left out stays empty in the material."""
    parser.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    parser.add_argument("--targets", type=Path, required=True, help="table of targets")
    parser.add_argument("--features", type=Path, nargs="*", default=[], help="feature folders of the final checkpoints")
    parser.add_argument("--checkpoints", type=Path, nargs="*", default=[], help="feature folders of all checkpoints")
    parser.add_argument("--representations", type=Path, help="folder of the representations")
    parser.add_argument("--norm", type=Path, nargs="*", default=[], help="feature folders of the predictions' norm")
    parser.add_argument("--windows", type=Path, nargs="*", default=[], help="feature folders of steps around timesteps")
    parser.add_argument("--estimation-subsets", type=Path, help="subsets of the estimation bank")
    parser.add_argument(
        "--estimation-outputs", type=Path, nargs="*", default=[], help="outputs of its models, in order"
    )
    parser.add_argument("--estimation-seeds", type=int, default=1, help="models of each of its subsets")
    parser.add_argument("--block", type=int, default=4096, help="training examples at a time; bounds the memory")


def material_of(arguments: argparse.Namespace, seed: int) -> tuple[Material, int]:
    """Return (material of all targets, number of evaluated targets)."""
    return load_material(
        seed,
        arguments.data,
        arguments.targets,
        arguments.features,
        arguments.checkpoints,
        arguments.representations,
        arguments.norm,
        arguments.windows,
        arguments.estimation_subsets,
        arguments.estimation_outputs,
        arguments.estimation_seeds,
        arguments.block,
        getattr(arguments, "device", "cpu"),
    )
