"""Killed in training, in feature extraction and in scoring, a run goes on to what an undisturbed one gives."""

import fnmatch
import hashlib
import signal
from pathlib import Path

import pandas as pd
import pytest

KILL = Path(__file__).with_name("kill")
# Each moment is the one before a file gets its final name (see kill/sitecustomize.py).
MOMENTS = {
    "training": "*/train/members/models/00001.safetensors:1",
    "features": "*/features/sjlt1-64/1/*/.train.partial.json:2",
    "scores": "*/scores/trak.npy:1",
}


class Killed:
    """One copy of the repository through all kills, and what was seen on the way."""

    def __init__(self, tree):
        self.tree = tree
        self.statuses = {}
        self.left = {}
        for name, moment in MOMENTS.items():
            self.statuses[name] = self.run(PYTHONPATH=str(KILL), TRAKWAY_KILL=moment).returncode
            # By path and time of change: what a later run has kept is still the same file.
            self.left[name] = {path: path.stat().st_mtime_ns for path in tree.results.rglob("*") if path.is_file()}
            tree.done("--unlock")
        self.last = self.run()

    def run(self, **environment):
        return self.tree.snakemake("smoke", "--rerun-incomplete", **environment)


@pytest.fixture(scope="module")
def killed(tree):
    return Killed(tree)


def digests(tree, *patterns: str) -> dict[str, str]:
    return {
        str(path.relative_to(tree.results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in patterns
        for path in tree.results.rglob(pattern)
        if not path.name.startswith(".")
    }


def test_every_kill_hit_in_the_midst(killed):
    assert killed.statuses == dict.fromkeys(MOMENTS, -signal.SIGKILL)
    left = {name: {str(path.relative_to(killed.tree.results)) for path in files} for name, files in killed.left.items()}
    # One member is finished and recorded; of the other there is the first checkpoint, and the state to go on from.
    models, there = "train/members/models", left["training"]
    assert {f"{models}/00000.json", f"{models}/00000.safetensors", f"{models}/00001.0.safetensors"} <= there
    assert not {f"{models}/00001.json", f"{models}/00001.safetensors", "train/members/00000-00002.json"} & there
    assert fnmatch.filter(there, f"{models}/00001.*.state.safetensors")
    # Blocks are written and recorded, but not all.
    partial = "features/sjlt1-64/1/00000-00002/.train.partial"
    assert {f"{partial}.json", f"{partial}.npy"} <= left["features"]
    assert "features/sjlt1-64/1/00000-00002/train.npy" not in left["features"]
    # The scores are there, under another name.
    assert "scores/trak.npy" not in left["scores"]
    assert fnmatch.filter(left["scores"], "scores/.trak.*.npy")


def test_the_last_run_goes_through(killed):
    assert killed.last.returncode == 0, killed.last.stdout[-5000:]
    assert not list(killed.tree.results.rglob("*.state.safetensors"))
    assert not list(killed.tree.results.rglob(".[!.]*.partial.*"))


def test_finished_models_are_kept(killed):
    models = killed.tree.results / "train/members/models"
    for name in ("00000.safetensors", "00000.0.safetensors", "00000.json"):
        assert (models / name).stat().st_mtime_ns == killed.left["training"][models / name]


@pytest.mark.parametrize("pattern", ["*.safetensors", "*.npy", "*.parquet"])
def test_same_bytes_as_the_undisturbed_run(killed, smoke, pattern):
    expected = digests(smoke, pattern)
    assert len(expected) > 5
    assert digests(killed.tree, pattern) == expected


def test_same_tables_as_the_undisturbed_run(killed, smoke):
    tables = ("lds", "lds_pairs", "removal", "brittleness", "flip_ratios", "models", "ablation")
    expected = digests(smoke, *(f"{name}.csv" for name in tables))
    assert len(expected) == len(tables)
    assert digests(killed.tree, *(f"{name}.csv" for name in tables)) == expected
    killed_cost, cost = (pd.read_csv(tree.results / "tables/cost.csv") for tree in (killed.tree, smoke))
    assert killed_cost.drop(columns="cpu_seconds").equals(cost.drop(columns="cpu_seconds"))
