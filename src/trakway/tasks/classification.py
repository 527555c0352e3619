"""Classification of whatever: cross-entropy, and the margin as model output (TRAK, section 3.3 and equation 5)."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trakway.errors import UserError
from trakway.storage.files import read_table
from trakway.storage.resumable import row_blocks
from trakway.tasks.base import Batch, Model, Task
from trakway.tasks.margin import margin

EVALUATION_BATCH = 500


class Classification(Task):
    """Examples with labels; the last tensor of a batch holds the labels (B,).

    Attributes:
        classes: their names.
        target_rows: rows of the test split that are targets, (targets,); without a table of them all.

    Raises:
        UserError: there is one class only.
    """

    def __init__(self, settings: dict, classes: Sequence[str], test_size: int, device: str, targets: Path | None):
        if len(classes) < 2:
            raise UserError(
                f"dataset: found one class only, {', '.join(classes)}; allowed: two at least for a classifier, be it"
                " that of domain, which compares what is generated; give the examples labels, or choose another data"
                " set or task; scores of generated examples need none: ask for results/TIER/NAME/scores/METHOD.npy"
            )
        self.classes = tuple(classes)
        self.seed = settings["seed"]
        self.model_settings = settings["model"]
        self.device = device
        self.test_size = test_size
        self.target_rows = np.arange(test_size) if targets is None else read_table(targets)["row"].to_numpy()

    @abstractmethod
    def batch(self, split: str, rows: np.ndarray) -> Batch:
        """Return examples ``rows`` of ``train`` or ``test`` as a batch on the device."""

    @abstractmethod
    def logits(self, model: Model, batch: Batch) -> Tensor:
        """Return one logit a class, (B, classes)."""

    def train_batch(self, rows: np.ndarray) -> Batch:
        return self.batch("train", rows)

    def target_batch(self, entries: np.ndarray) -> Batch:
        return self.batch("test", self.target_rows[entries])

    def losses(self, model: Model, batch: Batch) -> Tensor:
        logits = self.logits(model, batch)
        wide = logits if logits.dtype == torch.float64 else logits.float()
        return F.cross_entropy(wide, batch[-1], reduction="none")

    def drawn(self, model: Model, batch: Batch, rng: np.random.Generator) -> Batch:
        # ∇ℓ in the logits is p - q, and the Gauss-Newton matrix diag(p) - ppᵀ: q is p less a normal vector of that
        # covariance. Labels drawn one by one have the same moment, but where the model is sure a rare one holds it all.
        likely = self.probabilities(model, batch).detach()
        root = likely.sqrt()
        normal = torch.from_numpy(rng.standard_normal(likely.shape)).to(root)
        return *batch[:-1], likely - root * normal + likely * (root * normal).sum(1, keepdim=True)

    def output(self, model: Model, batch: Batch) -> Tensor:
        return margin(self.logits(model, batch), batch[-1])

    def loss_slope(self, outputs: Tensor) -> Tensor:
        # Loss = log(1 + exp(-f)), hence -dLoss/df = 1 - p_y = sigmoid(-f).
        return torch.sigmoid(-outputs)

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        right = [
            self.output(model, self.batch("test", np.arange(block.start, block.stop))) > 0
            for block in row_blocks(self.test_size, EVALUATION_BATCH)
        ]
        return {"accuracy": float(torch.cat(right).double().mean())}

    def probabilities(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the probability of each class, (B, classes)."""
        return self.logits(model, batch).softmax(1)

    def representation(self, model: nn.Module, batch: Batch) -> Tensor:
        seen = []
        last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
        hook = last.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        try:
            self.logits(model, batch)
        finally:
            hook.remove()
        return seen[0]
