"""Influence of training examples on the outputs of targets, by one model's curvature.

τ(z, z_i) = -∇f(z)ᵀ (H + λ)⁻¹ ∇ℓ(z_i), with H the Gauss-Newton matrix of the training loss (Koh & Liang, ICML 2017,
equation 2, with f in the place of a loss): positive = training on z_i raises f(z).
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trakway.curvature.conjugate import conjugate_gradients
from trakway.curvature.drawn import Drawn
from trakway.curvature.ekfac import Ekfac
from trakway.gradients import per_example_gradients
from trakway.storage.resumable import Part, fill_arrays, row_blocks
from trakway.tasks import Task

WORKING = 10  # arrays as large as the right-hand sides that are in memory while they are solved for


class Influence:
    """Influence scores of one model; it is fitted when they are first asked for."""

    def __init__(
        self,
        task: Task,
        load: Callable[[], nn.Module],
        settings: dict,
        dampings: Sequence[float],
        kind: str,
        entries: int,
        chunk: int,
        memory_mb: float = 2000,
    ):
        """Say what is computed.

        Args:
            task: with targets.
            load: returns the model, in eval mode.
            settings: the section ``curvature``.
            dampings: relative to the mean eigenvalue of each parameter.
            kind: ``ekfac``, or ``ekfac_cg`` for the solution by conjugate gradients.
            entries: of the table of targets.
            chunk: examples at a time.
            memory_mb: what solving may take beside the solutions; with less, conjugate gradients go through the drawn
                gradients more often.
        """
        self.memory_mb = memory_mb
        self.task, self.load, self.settings, self.dampings = task, load, settings, list(dampings)
        self.kind, self.entries, self.chunk = kind, entries, chunk

    @cached_property
    def model(self) -> nn.Module:
        return self.load()

    @cached_property
    def solved(self) -> Tensor:
        """(H + λ)⁻¹ ∇f of every damping and target, (dampings × entries, p)."""
        drawn = Drawn(self.task, self.model, self.settings["drawn"], self.chunk)
        ekfac = Ekfac(drawn)
        slopes = torch.cat([self._slopes(block) for block in self._blocks(self.entries)])
        dampings = torch.tensor(self.dampings, device=slopes.device, dtype=slopes.dtype)
        factors = dampings.repeat_interleave(self.entries)
        targets = torch.arange(self.entries, device=slopes.device).repeat(len(dampings))
        found = slopes.new_empty(len(factors), slopes.shape[1])
        together = max(1, int(self.memory_mb * 2**20 // (WORKING * slopes.shape[1] * slopes.element_size())))
        for block in row_blocks(len(factors), together):
            rows, own = slopes[targets[block]], factors[block]
            if self.kind == "ekfac":
                found[block] = ekfac.solve(rows, own)
            else:
                found[block] = conjugate_gradients(drawn, ekfac, rows, own, self.settings["iterations"])
        return found

    def scores(self, rows: slice) -> np.ndarray:
        """Return the scores of some training examples, float32 (dampings, entries, examples)."""
        batch = self.task.train_batch(np.arange(rows.start, rows.stop))
        outputs, gradients = per_example_gradients(self.task, self.model, batch)
        # -∇ℓ = -dℓ/df · ∇f
        found = self.solved @ (gradients * self.task.loss_slope(outputs)[:, None]).T
        return found.unflatten(0, (-1, self.entries)).cpu().numpy()

    def write(self, path: Path, fingerprint: str) -> dict:
        """Write all scores, float32 (dampings, entries, n); continues after a kill. Returns the cost."""
        size = self.task.train_size
        shape = (len(self.dampings), self.entries, size)
        blocks = [(slice(None), slice(None), block) for block in self._blocks(size)]
        part = Part([path], [shape], blocks, lambda block: (self.scores(block[2]),))
        return fill_arrays([part], fingerprint, "blocks of training examples")

    def _slopes(self, block: slice) -> Tensor:
        batch = self.task.target_batch(np.arange(block.start, block.stop))
        return per_example_gradients(self.task, self.model, batch)[1]

    def _blocks(self, size: int) -> list[slice]:
        return row_blocks(size, self.chunk)
