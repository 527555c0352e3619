import copy
from pathlib import Path

import pytest
import yaml

from trakway.config import deep_merge, load_experiment
from trakway.errors import UserError

GOOD = {
    "name": "mine",
    "task": "image_classification",
    "dataset": {"name": "fashion_mnist", "train_size": 200, "test_size": 200, "classes": ["coat", "shirt"]},
    "model": {"name": "resnet_small"},
    "training": {"epochs": 4, "batch_size": 20, "checkpoints": 2},
    "targets": {"count": 50, "tuning": 50},
    "tiers": {"demo": {"seed": 1}, "paper": {"seed": 2}},
}

DIFFUSION = {
    "task": "image_diffusion",
    "dataset": {"name": "digits", "train_size": 200, "test_size": 100, "classes": None},
    "model": {"name": "unet", "widths": [8, 16, 16], "layers": 1, "attention": [4], "norm_groups": 4},
    "domain": {"model": {"name": "resnet_small"}, "training": {}},
    "targets": {"count": 50, "tuning": 90, "real": 60},
    "journey": {
        "timesteps": [100, 300, 500],
        "patches": [{"name": "top", "timestep": 300, "box": [0, 0, 4, 8]}],
    },
    "removal": {"timesteps": [300]},
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


@pytest.fixture
def write_diffusion(write):
    """Write ``mine.yaml``: the good diffusion experiment with changes over it. Returns its path."""
    return lambda changes=None: write(deep_merge(DIFFUSION, changes or {}))


@pytest.fixture
def check_told():
    """Check that loading the tier demo tells one fault, where it stands, what was found and what is allowed."""

    def check(path: Path, where: str, key: str, found: str, words: str) -> None:
        with pytest.raises(UserError) as caught:
            load_experiment(path, "demo")
        (line,) = str(caught.value).splitlines()
        given_in_tier = where == "tier" and "(the default)" not in found
        assert line.startswith(f"{path}: {'tiers.demo.' if given_in_tier else ''}{key}: found ")
        told, rest = line.split("; allowed: ", 1)
        harmed = "" if given_in_tier else " at the tier demo"
        assert told.endswith((f"found {found}{harmed}", f'found "{found}"{harmed}'))
        assert words in rest
        if where == "tier":
            assert load_experiment(path, "paper")["seed"] == 2  # the other tier is as good as before

    return check
