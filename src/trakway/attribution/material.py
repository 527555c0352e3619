"""What an attribution method may look at."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Features:
    """Projected gradients of one member at one checkpoint.

    Attributes:
        train: float32 (n, k), perhaps a memory map.
        targets: float32 (targets, k).
        weights: float32 (n,): -dLoss/df of the training examples.
        learning_rate: summed over the epochs that led to the checkpoint.
    """

    train: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    learning_rate: float = 1.0


@dataclass(frozen=True)
class Material:
    """Everything the methods of an experiment work from; a method reads what it needs.

    Attributes:
        seed: the experiment's seed.
        size: number of training examples n.
        targets: number of targets.
        features: one entry a member, its final checkpoint.
        checkpoints: for each kept checkpoint (the final one last) one entry a member.
        representations: (train, targets) of each member: (n, d) and (targets, d).
        images: training images (n, ...) and target images (targets, ...), any dtype.
        labels: labels of training examples (n,) and targets (targets,).
        masks: subsets of the estimation bank, bool (subsets, n).
        outputs: their outputs f, mean over seeds, (subsets, targets).
        block: training examples at a time; bounds the memory, changes no score beyond rounding.
        device: where to compute.
        cache: what methods keep between calls, shared by all cuts of this material.
    """

    seed: int
    size: int
    targets: int
    features: Sequence[Features] = ()
    checkpoints: Sequence[Sequence[Features]] = ()
    representations: Sequence[tuple[np.ndarray, np.ndarray]] = ()
    images: tuple[np.ndarray, np.ndarray] | None = None
    labels: tuple[np.ndarray, np.ndarray] | None = None
    masks: np.ndarray | None = None
    outputs: np.ndarray | None = None
    block: int = 4096
    device: str = "cpu"
    cache: dict = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def of_targets(self, index: slice | np.ndarray) -> "Material":
        """Return the material of some of the targets."""

        def cut(entry: Features) -> Features:
            return dataclasses.replace(entry, targets=entry.targets[index])

        return dataclasses.replace(
            self,
            targets=len(np.arange(self.targets)[index]),
            features=[cut(entry) for entry in self.features],
            checkpoints=[[cut(entry) for entry in entries] for entries in self.checkpoints],
            representations=[(train, targets[index]) for train, targets in self.representations],
            images=None if self.images is None else (self.images[0], self.images[1][index]),
            labels=None if self.labels is None else (self.labels[0], self.labels[1][index]),
            outputs=None if self.outputs is None else self.outputs[:, index],
        )

    def of_members(self, count: int) -> "Material":
        """Return the material that the first ``count`` members give."""
        return dataclasses.replace(
            self,
            features=self.features[:count],
            checkpoints=[entries[:count] for entries in self.checkpoints],
            representations=self.representations[:count],
        )

    def of_subsets(self, count: int) -> "Material":
        """Return the material with the first ``count`` subsets of the estimation bank."""
        return dataclasses.replace(self, masks=self.masks[:count], outputs=self.outputs[:count])
