"""What an attribution method may look at."""

import dataclasses
from collections.abc import Mapping, Sequence
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
        norm: as ``features``, but gradients of the squared norm of the prediction (D-TRAK).
        windows: timestep → as ``features``, but training gradients of the losses at steps around it.
        images: training images (n, ...) and target images (targets, ...), any dtype.
        estimates: what the outputs look at, where that is not the target images: x̂_0(x_t), (targets, ...).
        labels: labels of training examples (n,) and targets (targets,); None where no margin compares classes.
        masks: subsets of the estimation bank, bool (subsets, n).
        outputs: their outputs f, mean over seeds, (subsets, targets).
        final: position of the entry of the same image without a timestep, int (targets,); None where nothing has one.
        timesteps: of the targets' outputs, int (targets,), -1 for the whole schedule; None where there are no steps.
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
    norm: Sequence[Features] = ()
    windows: Mapping[int, Sequence[Features]] = dataclasses.field(default_factory=dict)
    images: tuple[np.ndarray, np.ndarray] | None = None
    labels: tuple[np.ndarray, np.ndarray] | None = None
    masks: np.ndarray | None = None
    outputs: np.ndarray | None = None
    final: np.ndarray | None = None
    timesteps: np.ndarray | None = None
    estimates: np.ndarray | None = None
    block: int = 4096
    device: str = "cpu"
    cache: dict = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def of_targets(self, index: slice | np.ndarray) -> "Material":
        """Return the material of some of the targets.

        Raises:
            ValueError: an entry is kept without the one of its image that has no timestep.
        """

        def cut(entries: Sequence[Features]) -> list[Features]:
            return [dataclasses.replace(entry, targets=entry.targets[index]) for entry in entries]

        kept = np.arange(self.targets)[index]
        return dataclasses.replace(
            self,
            targets=len(kept),
            features=cut(self.features),
            checkpoints=[cut(entries) for entries in self.checkpoints],
            norm=cut(self.norm),
            windows={timestep: cut(entries) for timestep, entries in self.windows.items()},
            timesteps=None if self.timesteps is None else self.timesteps[index],
            estimates=None if self.estimates is None else self.estimates[index],
            final=None if self.final is None else _renumbered(self.final, kept),
            representations=[(train, targets[index]) for train, targets in self.representations],
            images=None if self.images is None else (self.images[0], self.images[1][index]),
            labels=None if self.labels is None else (self.labels[0], self.labels[1][index]),
            outputs=None if self.outputs is None else self.outputs[:, index],
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
        """Return the material that the first ``count`` members give."""
        return dataclasses.replace(
            self,
            features=self.features[:count],
            checkpoints=[entries[:count] for entries in self.checkpoints],
            representations=self.representations[:count],
            norm=self.norm[:count],
            windows={timestep: entries[:count] for timestep, entries in self.windows.items()},
        )

    def of_subsets(self, count: int) -> "Material":
        """Return the material with the first ``count`` subsets of the estimation bank."""
        return dataclasses.replace(self, masks=self.masks[:count], outputs=self.outputs[:count])


def _renumbered(final: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return where the final entries of the kept entries stand among the kept."""
    place = np.full(len(final), -1)
    place[kept] = np.arange(len(kept))
    if (place[final[kept]] < 0).any():
        raise ValueError("an entry cannot be kept without the entry of its image that has no timestep")
    return place[final[kept]]
