import importlib.util
import json
from argparse import Namespace
from pathlib import Path

import pytest

from trakway.config import load_experiment
from trakway.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("explorer_script", ROOT / "scripts/explorer.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_results_that_are_not_whole_are_told(script, tmp_path):
    """Those of an earlier version too, which lack what is read today."""
    settings = load_experiment(ROOT / "config/experiments/fashion_resnet.yaml", "smoke")
    arguments = Namespace(settings=json.dumps(settings), folder=tmp_path, output=None, tier="smoke")
    with pytest.raises(UserError, match=r"\.npy: found no such file; .* fashion_resnet_explorer"):
        script.main(arguments)
