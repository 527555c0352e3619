"""The command-line arguments that name an experiment's material, shared by all scripts that score."""

import argparse
from pathlib import Path

from trakway.attribution.inputs import INPUTS
from trakway.attribution.loading import load_material
from trakway.attribution.material import Material
from trakway.plan import modality_of
from trakway.runtime.paths import Named, Paths


def add_material_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that `material_of` reads; what is left out is not in the material."""
    parser.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    parser.add_argument("--targets", type=Path, required=True, help="table of targets")
    parser.add_argument(
        "--input", action=Named, choices=INPUTS, default={}, help="an input by name, and the files it is loaded from"
    )
    parser.add_argument("--block", type=int, default=4096, help="training examples at a time; bounds the memory")


def add_bank_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that tell the evaluation bank."""
    parser.add_argument("--subsets", type=Path, required=True, help="subsets of the evaluation bank")
    parser.add_argument("--outputs", action=Paths, required=True, help="outputs of its models, in order")


def material_of(arguments: argparse.Namespace, settings: dict) -> tuple[Material, int]:
    """Return (material of all targets, number of evaluated targets)."""
    return load_material(
        arguments.input,
        seed=settings["seed"],
        modality=modality_of(settings),
        data=arguments.data,
        targets=arguments.targets,
        block=arguments.block,
        device=getattr(arguments, "device", "cpu"),
    )
