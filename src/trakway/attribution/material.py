"""What an attribution method may look at."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from trakway.attribution.inputs import INPUTS
from trakway.attribution.values import EstimationBank


class Material:
    """Everything that a method works from: its inputs, by name, as attributes.

    A method sees just the inputs that it declares in ``METHOD = Method(reads=...)``.

    Attributes:
        seed: the experiment's seed.
        size: number of training examples n.
        targets: number of targets.
        inputs: name of an input → its value; ``material.features`` is ``material.inputs["features"]``, and so on.
        final: position of the entry of the same image without a timestep, int (targets,); None where nothing has one.
        timesteps: of the targets' outputs, int (targets,), -1 for the whole schedule; None where there are no steps.
        block: training examples at a time; bounds the memory, changes no score beyond rounding.
        device: where to compute.
        cache: what methods keep between calls, shared by all cuts of this material.
    """

    def __init__(
        self,
        seed: int,
        size: int,
        targets: int,
        *,
        final: np.ndarray | None = None,
        timesteps: np.ndarray | None = None,
        block: int = 4096,
        device: str = "cpu",
        **inputs: Any,
    ):
        self.seed, self.size, self.targets = seed, size, targets
        self.final, self.timesteps = final, timesteps
        self.block, self.device = block, device
        self.inputs: Mapping[str, Any] = inputs
        self.cache: dict = {}

    def __getattr__(self, name: str) -> Any:
        inputs = self.__dict__.get("inputs", {})
        if name in inputs:
            return inputs[name]
        if name in INPUTS:
            raise AttributeError(
                f"material.{name}: not loaded; a method sees what it declares: METHOD = Method(reads=({name!r}, ...))"
            )
        raise AttributeError(name)

    def replace(self, **changes: Any) -> "Material":
        """Return a copy with other attributes or inputs."""
        other = copy.copy(self)
        other.inputs = {**self.inputs, **{name: value for name, value in changes.items() if name in INPUTS}}
        for name, value in changes.items():
            if name not in INPUTS:
                setattr(other, name, value)
        return other

    def only(self, names: tuple[str, ...]) -> "Material":
        """Return the material with the named inputs alone."""
        return self.replace(inputs={name: value for name, value in self.inputs.items() if name in names})

    def of_targets(self, index: slice | np.ndarray) -> "Material":
        """Return the material of some of the targets.

        Raises:
            ValueError: an entry is kept without the one of its image that has no timestep.
        """
        kept = np.arange(self.targets)[index]
        return self.replace(
            targets=len(kept),
            inputs={name: INPUTS[name].of_targets(value, index) for name, value in self.inputs.items()},
            timesteps=None if self.timesteps is None else self.timesteps[index],
            final=None if self.final is None else _renumbered(self.final, kept),
        )

    def of_wholes(self) -> tuple["Material", np.ndarray | None]:
        """Return the material of the entries without a timestep, and for each target its place among them.

        For methods whose scores belong to the image. Where nothing has a timestep: all of it, and None.
        """
        if self.final is None:
            return self, None
        kept, place = np.unique(self.final, return_inverse=True)
        return self.of_targets(kept), place

    def of_members(self, count: int) -> "Material":
        """Return the material that the first ``count`` models of every input give."""
        return self.replace(inputs={name: INPUTS[name].of_models(value, count) for name, value in self.inputs.items()})

    def of_subsets(self, count: int) -> "Material":
        """Return the material with the first ``count`` subsets of the estimation bank."""
        bank = self.estimation
        return self.replace(estimation=EstimationBank(bank.masks[:count], bank.outputs[:count]))


def _renumbered(final: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return where the final entries of the kept entries stand among the kept."""
    place = np.full(len(final), -1)
    place[kept] = np.arange(len(kept))
    if (place[final[kept]] < 0).any():
        raise ValueError("an entry cannot be kept without the entry of its image that has no timestep")
    return place[final[kept]]
