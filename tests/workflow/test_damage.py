"""Checkpoints that are damaged after training: feature extraction says which, and what to do."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from trakway.storage.fingerprint import file_digest

FEATURES = "features/sjlt1-64/output/1/00000-00002"


@pytest.fixture
def extraction(finished):
    """Run feature extraction anew, which has to fail; checkpoints are put back in the end."""
    models = finished.results / "train/members/models"
    manifest = finished.results / "train/members/00000-00002.json"
    before = {path: path.read_bytes() for path in (*models.iterdir(), manifest)}

    def run() -> str:
        # A failed job's outputs are gone already.
        (finished.results / FEATURES / "train.json").unlink(missing_ok=True)
        result = finished.snakemake(f"results/smoke/fashion_resnet/{FEATURES}/train.json")
        assert result.returncode == 1, result.stdout
        assert "Traceback" not in result.stdout
        return result.stdout

    run.models, run.manifest = models, manifest
    yield run
    for path, content in before.items():
        path.write_bytes(content)


def test_truncated(extraction):
    path = extraction.models / "00001.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    printed = extraction()
    record = extraction.manifest.relative_to(path.parents[6])
    for word in (f"checkpoint {path.relative_to(path.parents[6])}", "truncated", f"delete {record} and run again"):
        assert word in printed


def test_not_a_number(extraction):
    """A run that went astray leaves NaN in a whole file."""
    path = extraction.models / "00001.safetensors"
    tensors = load_file(path)
    name = min(name for name, tensor in tensors.items() if tensor.dtype == np.float32)
    tensors[name] = np.full_like(tensors[name], np.nan)
    save_file(tensors, path)
    shard = json.loads(extraction.manifest.read_text())
    shard["models"][1]["checkpoints"][-1]["sha256"] = file_digest(path)
    extraction.manifest.write_text(json.dumps(shard))
    printed = extraction()
    for word in ("member 1", "00001.safetensors", name, "NaN", "training example 0", "lower training.learning_rate"):
        assert word in printed
