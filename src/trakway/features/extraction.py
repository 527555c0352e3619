"""Features of a shard of members: projected gradients of training examples or of targets, written as they are made."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trakway.errors import UserError
from trakway.features.members import Member
from trakway.features.restriction import restricted
from trakway.gradients import Preconditioner, projected_gradients, require_layers, shapes
from trakway.models.finite import first_bad_tensor
from trakway.projection.base import Projection
from trakway.projection.build import build_projection
from trakway.storage.fingerprint import fingerprint
from trakway.storage.resumable import Block, Part, fill_arrays, row_blocks
from trakway.tasks import Task


class Extractor:
    """Computes features φ_m(z) = P_mᵀ ∇_θ f(z; θ_m) of members (TRAK, equation 13), float32.

    Args:
        task: gives f, its slope and the examples.
        members: the models; loaded one at a time.
        projection: the ``projection`` section.
        chunk: examples at a time; bounds the memory (chunk × p floats), changes no feature beyond rounding.
        preconditioner: from the position of a member to what changes its gradients before they are projected; None
            leaves them as they are.
        identity: digest of all that decides the features (settings, checkpoints, code).
    """

    def __init__(
        self,
        task: Task,
        members: Sequence[Member],
        projection: dict,
        chunk: int,
        preconditioner: Callable[[int], Preconditioner] | None = None,
        identity: str = "",
    ):
        if preconditioner and projection.get("parameters"):
            raise UserError(
                "projection.preconditioner: allowed: none where gradients of some parameters alone are used"
                " (projection.parameters)"
            )
        self.task = restricted(task, projection.get("parameters", ""))
        self.members = members
        self.projection = projection
        self.chunk = chunk
        self.preconditioner = preconditioner
        self.identity = identity
        self._open: tuple[int, nn.Module, Projection, Preconditioner | None] | None = None

    def shape(self) -> tuple[int, int]:
        """Return (number of attributed parameters p, number of features k).

        Raises:
            UserError: the projection does not fit the model.
        """
        model = self.task.new_model(0).eval()
        parameters = sum(model.get_parameter(name).numel() for name in self.task.attributed(model))
        if self.projection["kind"] == "factored":
            require_layers(model, self.task.attributed(model))
        if self.projection["kind"] == "identity":
            self._project(model, 0)
            return parameters, parameters
        return parameters, self.projection["dim"]

    def write_train(self, folder: Path) -> tuple[int, dict]:
        """Write ``train.npy`` (members, n, k) and ``weights.npy`` (members, n), -dLoss/df: the diagonal of Q.

        Args:
            folder: where the files go; what an interrupted run has left there is continued.

        Returns:
            (p, cost).

        Raises:
            UserError: a checkpoint or a feature holds NaN or infinity (names model, tensor or example); a projection
                that does not fit the model.
        """
        rows = np.arange(self.task.train_size)
        return self._write(folder, ["train", "weights"], rows, self._train)

    def write_targets(self, folder: Path, entries: np.ndarray) -> tuple[int, dict]:
        """Write ``targets.npy`` (members, entries, k).

        Args:
            folder: as in `write_train`.
            entries: positions in the table of targets.

        Returns:
            (p, cost).

        Raises:
            UserError: as `write_train`.
        """
        return self._write(folder, ["targets"], np.asarray(entries), self._target)

    def _write(self, folder: Path, names: list[str], rows: np.ndarray, compute: Callable) -> tuple[int, dict]:
        parameters, dim = self.shape()
        mark = fingerprint(self.identity, rows, [member.index for member in self.members])
        blocks: list[Block] = [
            (m, block) for m in range(len(self.members)) for block in row_blocks(len(rows), self.chunk)
        ]
        shapes = {"weights": (len(self.members), len(rows))}
        part = Part(
            [folder / f"{name}.npy" for name in names],
            [shapes.get(name, (len(self.members), len(rows), dim)) for name in names],
            blocks,
            lambda block: compute(block[0], rows[block[1]]),
        )
        return parameters, fill_arrays([part], mark, "chunks of projected gradients")

    def _project(self, model: nn.Module, index: int) -> Projection:
        seen = shapes(model, self.task.attributed(model))
        return build_projection(self.projection, sum(map(math.prod, seen)), self.task.seed, index, seen)

    def _member(self, m: int) -> tuple[nn.Module, Projection, Preconditioner | None]:
        if self._open is None or self._open[0] != m:
            member = self.members[m]
            model = load_member(self.task, member)
            change = self.preconditioner(m) if self.preconditioner else None
            self._open = m, model, self._project(model, member.index), change
        return self._open[1:]

    def _train(self, m: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        model, *change = self._member(m)
        outputs, features = projected_gradients(self.task, model, self.task.train_batch(rows), *change)
        features = self._finite(m, features, rows, "training example")
        return features, self.task.loss_slope(outputs).cpu().numpy()

    def _target(self, m: int, rows: np.ndarray) -> tuple[np.ndarray]:
        model, *change = self._member(m)
        _, features = projected_gradients(self.task, model, self.task.target_batch(rows), *change)
        return (self._finite(m, features, rows, "target"),)

    def _finite(self, m: int, features: Tensor, rows: np.ndarray, what: str) -> np.ndarray:
        bad = torch.nonzero(~torch.isfinite(features).all(1))
        if len(bad):
            raise UserError(
                f"member {self.members[m].index}, checkpoint {self.members[m].file}: the projected gradient of {what} "
                f"{int(rows[bad[0, 0]])} is not finite; look at that example and at the model's training curve"
            )
        return features.cpu().numpy()


def load_member(task: Task, member: Member) -> nn.Module:
    """Return a member's model as gradients want it.

    Raises:
        UserError: a tensor of its checkpoint holds NaN or infinity.
    """
    model = member.load()
    if task.device == "cpu":  # a tenth faster here, though training prefers channels last
        model = model.to(memory_format=torch.contiguous_format)
    bad = first_bad_tensor(model)
    if bad is not None:
        example = _first_bad_example(task, model)
        raise UserError(
            f"member {member.index}, checkpoint {member.file}: tensor {bad} holds NaN or infinity; first seen "
            f"at {example}; lower training.learning_rate"
        )
    return model


def _first_bad_example(task: Task, model: nn.Module) -> str:
    """Name the first training example whose model output is not finite."""
    rows = np.arange(min(task.train_size, max(1, 500 // task.draws)))
    with torch.no_grad():
        outputs = task.output(model, task.train_batch(rows))
    bad = torch.nonzero(~torch.isfinite(outputs))
    return f"training example {int(rows[bad[0, 0]])}" if len(bad) else "no training example's output"
