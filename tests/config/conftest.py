import copy
from pathlib import Path

import pytest
import yaml

from trakway.config import deep_merge

GOOD = {
    "name": "mine",
    "task": "image_classification",
    "dataset": {"name": "fashion_mnist", "train_size": 200, "test_size": 200, "classes": ["coat", "shirt"]},
    "model": {"name": "resnet_small"},
    "training": {"epochs": 4, "batch_size": 20, "checkpoints": 2},
    "targets": {"count": 50, "tuning": 50},
    "tiers": {"demo": {"seed": 1}, "paper": {"seed": 2}},
}


@pytest.fixture
def good() -> dict:
    return copy.deepcopy(GOOD)


@pytest.fixture
def write(tmp_path):
    """Write ``mine.yaml``: the good experiment with changes over it, or a text. Returns its path."""

    def write(changes: dict | str | None = None, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        text = changes if isinstance(changes, str) else yaml.safe_dump(deep_merge(GOOD, changes or {}))
        path.write_text(text)
        return path

    return write
