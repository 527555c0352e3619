"""Text classification: an encoder fine-tuned above a frozen trunk, or as a whole (TRAK, section 4.2)."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trakway.data.texts import TextData
from trakway.models import transformer
from trakway.plan.modalities import Modality
from trakway.tasks.base import Batch, Model
from trakway.tasks.classification import Classification
from trakway.tasks.encoding import Encoding, encode, forward, upper_part

MODALITY = Modality(
    traits=("text", "border"),
    data="texts",
    encodes=True,
    models=("transformer",),
)


class TextClassification(Classification):
    """Texts, or pairs of them, with labels.

    A batch is ``(states (B, T, d), present (B, T), labels)`` above a frozen trunk, whose states are computed once; and
    ``(tokens (B, T), types (B, T), present (B, T), labels)`` where everything is trained. T is the length of the
    longest text of the batch; ``present`` is 1 where there is a token, 0 where there is none.
    """

    def __init__(
        self, settings: dict, data: Path, device: str = "cpu", targets: Path | None = None, function: str = "output"
    ):
        texts = TextData.load(data)
        super().__init__(settings, texts.classes, len(texts.labels["test"]), device, targets)
        self.train_size = len(texts.labels["train"])
        self.labels = {split: torch.tensor(labels, device=device) for split, labels in texts.labels.items()}
        self.encoding = Encoding.load(data)

    @classmethod
    def encode(cls, settings: dict, data: Path, device: str) -> dict:
        """Compute once what all models share: tokens, and the states of the frozen trunk; returns the cost."""
        return encode(settings["model"], TextData.load(data), data, device)

    def architecture(self) -> nn.Module:
        known = self.encoding
        network = transformer.untrained(known.config, known.trained_layers, known.first_only)
        network.load_state_dict(known.pretrained, strict=False)
        return network

    def from_folder(self, path: Path) -> nn.Module:
        network, drawn = transformer.load(str(path), self.classes, key="members.checkpoints")
        return upper_part(self.encoding, network, drawn, path)

    def export(self, model: nn.Module, folder: Path) -> None:
        """Write the whole network, trunk and tokeniser included, as plain transformers loads it."""
        whole, _ = transformer.load(self.model_settings["pretrained"], self.classes)
        transformer.with_trained(whole, self.encoding.trained_layers, model.state_dict())
        names = dict(enumerate(self.classes))
        whole.config.id2label, whole.config.label2id = names, {name: number for number, name in names.items()}
        whole.save_pretrained(folder)
        transformer.save_tokenizer(self.model_settings["pretrained"], folder)

    def batch(self, split: str, rows: np.ndarray) -> Batch:
        inputs, present = self.encoding.padded(split, rows)
        index = torch.as_tensor(rows, device=self.device)
        arrays = [torch.from_numpy(array).to(self.device) for array in (*inputs, present)]
        return *arrays, self.labels[split][index]

    def logits(self, model: Model, batch: Batch) -> Tensor:
        *inputs, present, _ = batch
        return forward(model, inputs, present, self.encoding.typed)
