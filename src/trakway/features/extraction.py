"""Features of a shard of members: projected gradients of training examples and targets, written as they are made."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trakway.errors import UserError
from trakway.gradients import Preconditioner, build_preconditioner, projected_gradients, require_layers, shapes
from trakway.projection.base import Projection
from trakway.projection.build import build_projection
from trakway.runtime.progress import track
from trakway.storage.fingerprint import fingerprint
from trakway.storage.resumable import Block, Part, fill_arrays, row_blocks
from trakway.tasks import Batch, Task
from trakway.training.checkpoint import first_bad_tensor


@dataclass(frozen=True)
class Member:
    """One attribution model: its index in the ensemble, its checkpoint file, how to load it."""

    index: int
    file: str
    load: Callable[[], nn.Module]


def extract_features(
    task: Task,
    members: Sequence[Member],
    projection: dict,
    targets: np.ndarray,
    chunk: int,
    identity: str,
    folder: Path,
    trained: Task | None = None,
) -> tuple[int, dict]:
    """Write ``train.npy`` (members, n, k), ``weights.npy`` (members, n) and ``targets.npy`` (members, targets, k).

    φ_m(z) = P_mᵀ ∇_θ f(z; θ_m) (TRAK, equation 13) and the weights -dLoss/df (the diagonal of Q), float32. Where the
    projection asks for a preconditioner, the gradients are changed by it before they are projected.

    Args:
        task: gives f, its slope and the examples.
        members: the models.
        projection: the ``projection`` section; with ``preconditioner: kronecker`` also
            ``preconditioner_examples`` and ``damping``.
        targets: positions in the table of targets; none where a function has training gradients alone.
        chunk: examples at a time; bounds the memory (chunk × p floats), changes no feature beyond rounding.
        identity: digest of all that decides the features (settings, checkpoints, code).
        folder: where the files go.
        trained: the same task with the output that the models were trained on, where ``task`` has another: all
            functions share its preconditioner. None: ``task``.

    Returns:
        (number of attributed parameters p, cost).

    Raises:
        UserError: a checkpoint or a feature holds NaN or infinity (names model, tensor or example); an identity whose
            dim is not p.
    """
    extractors = _Extractors(task, members, projection, trained or task, chunk)
    parameters, dim = extractors.shape()
    mark = fingerprint(identity, targets, [member.index for member in members])

    def blocks(rows: int) -> list[Block]:
        return [(m, block) for m in range(len(members)) for block in row_blocks(rows, chunk)]

    train = Part(
        [folder / "train.npy", folder / "weights.npy"],
        [(len(members), task.train_size, dim), (len(members), task.train_size)],
        blocks(task.train_size),
        lambda block: extractors.train(block[0], np.arange(block[1].start, block[1].stop)),
    )
    target = Part(
        [folder / "targets.npy"],
        [(len(members), len(targets), dim)],
        blocks(len(targets)),
        lambda block: extractors.target(block[0], targets[block[1]]),
    )
    return parameters, fill_arrays([train, target], mark, "chunks of projected gradients")


class _Extractors:
    """The members of a shard, loaded one at a time: blocks come member by member."""

    def __init__(self, task: Task, members: Sequence[Member], projection: dict, trained: Task, chunk: int):
        self.task = task
        self.trained = trained
        self.chunk = chunk
        self.members = members
        self.projection = projection
        self._open: tuple[int, nn.Module, Projection, Preconditioner | None] | None = None

    def shape(self) -> tuple[int, int]:
        """Return (p, k); fails early where the projection does not fit the model."""
        model = self.task.new_model(0).eval()
        parameters = sum(model.get_parameter(name).numel() for name in self.task.attributed(model))
        if self.projection["kind"] == "factored":
            require_layers(model, self.task.attributed(model))
        if self.projection["kind"] == "identity":
            self._project(model, 0)
            return parameters, parameters
        return parameters, self.projection["dim"]

    def _project(self, model: nn.Module, index: int) -> Projection:
        seen = shapes(model, self.task.attributed(model))
        return build_projection(self.projection, sum(map(math.prod, seen)), self.task.seed, index, seen)

    def _member(self, m: int) -> tuple[nn.Module, Projection, Preconditioner | None]:
        if self._open is None or self._open[0] != m:
            member = self.members[m]
            model = member.load()
            if self.task.device == "cpu":  # a tenth faster here, though training prefers channels last
                model = model.to(memory_format=torch.contiguous_format)
            bad = first_bad_tensor(model)
            if bad is not None:
                example = self._first_bad_example(model)
                raise UserError(
                    f"member {member.index}, checkpoint {member.file}: tensor {bad} holds NaN or infinity; first seen "
                    f"at {example}; delete the file and run again, and lower training.learning_rate if it comes back"
                )
            change = build_preconditioner(self.projection, self.trained, model, self.chunk)
            self._open = m, model, self._project(model, member.index), change
        return self._open[1:]

    def _first_bad_example(self, model: nn.Module) -> str:
        """Name the first training example whose model output is not finite."""
        rows = np.arange(min(self.task.train_size, max(1, 500 // self.task.draws)))
        with torch.no_grad():
            outputs = self.task.output(model, self.task.train_batch(rows))
        bad = torch.nonzero(~torch.isfinite(outputs))
        return f"training example {int(rows[bad[0, 0]])}" if len(bad) else "no training example's output"

    def train(self, m: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        model, *change = self._member(m)
        outputs, features = projected_gradients(self.task, model, self.task.train_batch(rows), *change)
        features = self._finite(m, features, rows, "training example")
        return features, self.task.loss_slope(outputs).cpu().numpy()

    def target(self, m: int, rows: np.ndarray) -> tuple[np.ndarray]:
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


@torch.no_grad()
def extract_representations(
    task: Task,
    models: Sequence[Callable[[], nn.Module]],
    target_batch: Callable[[np.ndarray], Batch],
    targets: int,
    chunk: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the models' last layer sees: float32 (models, n, d) of training examples, (models, targets, d).

    Args:
        task: gives the training examples and what the last layer sees.
        models: load them, one at a time.
        target_batch: from positions of targets to their batch.
        targets: how many there are.
        chunk: examples at a time.
    """
    train, target = [], []
    for load in track(list(models), "representations"):
        model = load()
        for found, size, batch in ((train, task.train_size, task.train_batch), (target, targets, target_batch)):
            parts = [
                task.representation(model, batch(np.arange(block.start, block.stop)))
                for block in row_blocks(size, chunk)
            ]
            found.append(torch.cat(parts).float().cpu().numpy())
    return np.stack(train), np.stack(target)
