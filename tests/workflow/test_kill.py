"""Killed in training, features, scoring or completions, a run goes on to what an undisturbed one gives."""

import contextlib
import fcntl
import fnmatch
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

KILL = Path(__file__).with_name("kill")
# Each moment is the one before a file gets its final name (see kill/sitecustomize.py).
MOMENTS = {
    "training": "*/train/members/models/00001.safetensors:1",
    "features": "*/features/sjlt1-64/output/1/*/.train.partial.json:2",
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
        self.last = self.run()

    def run(self, **environment):
        options = ("--rerun-incomplete", "--config", "tier=smoke")
        return self.tree.snakemake(*options, "--", "fashion_resnet_lds", **environment)


@pytest.fixture(scope="module")
def killed(tree):
    return Killed(tree)


def digests(folder: Path, *patterns: str) -> dict[str, str]:
    """Return the SHA-256 of the files that match, hidden ones and what is in hidden folders left out."""
    paths = [path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()]
    names = {path.relative_to(folder): path for path in paths}
    hidden = [name for name in names if any(part.startswith(".") for part in name.parts)]
    return {
        str(name): hashlib.sha256(path.read_bytes()).hexdigest() for name, path in names.items() if name not in hidden
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
    folder = "features/sjlt1-64/output/1/00000-00002"
    partial = f"{folder}/.train.partial"
    assert {f"{partial}.json", f"{partial}.npy"} <= left["features"]
    assert f"{folder}/train.npy" not in left["features"]
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
    found, expected = digests(killed.tree.results, pattern), digests(smoke.results, pattern)
    assert len(found) > 5
    assert found == {name: expected[name] for name in found}


def test_same_tables_as_the_undisturbed_run(killed, smoke):
    tables = ("lds", "lds_pairs")
    expected = digests(smoke.results, *(f"{name}.csv" for name in tables))
    assert len(expected) == len(tables)
    assert digests(killed.tree.results, *(f"{name}.csv" for name in tables)) == expected
    killed_cost, cost = (pd.read_csv(tree.results / "tables/cost.csv") for tree in (killed.tree, smoke))
    assert killed_cost.drop(columns="cpu_seconds").equals(cost.drop(columns="cpu_seconds"))


# Of other models the stages that go on where they were: experiment, folder, moment, goal, what the kill leaves.
STAGES = {
    "encoding": (
        "reviews_bert",
        "data",
        "*/data/test_states.npy:1",
        "encoding.json",
        {"examples.parquet", "train_states.npy", ".test_states.partial.npy", ".test_states.partial.json"},
        {"test_states.npy", "encoding.json"},
    ),
    "encoding of pictures": (
        "fashion_ldm",
        "data",
        "*/data/.train_latents.partial.json:2",
        "encoding.json",
        {
            "examples.parquet",
            "autoencoder/config.json",
            ".train_latents.partial.json",
            ".train_latents.partial.npy",
            ".test_latents.partial.npy",
            ".caption_states.partial.npy",
        },
        {"train_latents.npy", "test_latents.npy", "caption_states.npy", "encoding.json"},
    ),
    "training": (
        "digits_ddpm",
        "train/members",
        "*/train/members/models/00001:1",
        "00000-00002.json",
        {"models/00000.json", "models/00000/config.json", "models/00001.*.state.safetensors"},
        {"models/00001.json", "models/00001/config.json", "00000-00002.json"},
    ),
    "features": (
        "digits_ddpm",
        "features/kronecker-50-0.1-sjlt1-32/norm/0/00000-00002",
        "*/.train.partial.json:2",
        "train.json",
        {".train.partial.json", ".train.partial.npy"},
        {"train.npy", "train.json"},
    ),
    "completions": (
        "digits_ddpm",
        "completions/removal/00000-*",
        "*/.features.partial.json:3",
        "index.parquet",
        {".features.partial.json", ".probabilities.partial.npy", "final.npy"},
        {"features.npy", "index.parquet"},
    ),
    "samples of captions": (
        "fashion_ldm",
        "captions/reference/00000-00002",
        "*/.probabilities.partial.json:2",
        "prompts.parquet",
        {".probabilities.partial.json", ".probabilities.partial.npy", ".pictures.partial.npy"},
        {"probabilities.npy", "pictures.npy", "prompts.parquet"},
    ),
}

RESULTS = (
    "*.safetensors",
    "*.npy",
    "*.parquet",
    "config.json",
    "scheduler_config.json",
    "train.json",
    "0*-*.json",
    "encoding.json",
)
"""All but the records of single models, which hold what they cost."""


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_goes_on_to_the_same_bytes(finished, smoke, stage):
    name, place, moment, target, kept, absent = STAGES[stage]
    tree = finished.of(name)
    (folder,) = tree.results.glob(place)
    place = folder.relative_to(tree.results)
    found = digests(smoke.of(name).results / place, *RESULTS)
    undisturbed = {file: digest for file, digest in found.items() if file != "targets.npy"}  # of another job
    assert undisturbed
    shutil.rmtree(folder)
    goal = f"results/smoke/{name}/{place}/{target}"

    assert tree.snakemake(goal, PYTHONPATH=str(KILL), TRAKWAY_KILL=moment).returncode == -signal.SIGKILL
    left = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    assert all(fnmatch.filter(left, pattern) for pattern in kept), left
    assert not absent & left.keys()
    before = {file: left[file].stat().st_mtime_ns for file in left if fnmatch.fnmatch(file, "models/00000*")}

    tree.done(goal, "--rerun-incomplete")
    assert digests(folder, *RESULTS) == undisturbed
    assert {file: (folder / file).stat().st_mtime_ns for file in before} == before
    assert not list(folder.rglob("*.state.safetensors"))
    assert not list(folder.rglob(".*.partial.*"))


def test_jobs_that_outlive_their_run(tree):
    """Snakemake alone is killed, and its job works on: the next run waits for it, then takes up what it left."""
    goal = "results/smoke/fashion_resnet/train/estimation/00000-00006.json"
    shutil.rmtree(tree.results / "train/estimation", ignore_errors=True)
    environment = {**os.environ, "PYTHONPATH": str(tree.folder / "src")}
    command = [sys.executable, "-m", "snakemake", "--cores", "1", goal]
    options = {"cwd": tree.folder, "env": environment, "text": True, "start_new_session": True}
    first = subprocess.Popen(command, **options)
    while not is_locked(tree.folder / ".snakemake/trakway.jobs"):
        assert first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGSTOP)  # so that the job is at work for as long as this test wants it to be
    first.kill()
    first.wait()
    second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    waits = next(line for line in second.stdout if "folder" in line)
    assert waits == "jobs of a run that was killed still work in this folder; waiting until they have ended\n"
    os.killpg(first.pid, signal.SIGCONT)
    said = second.communicate()[0]
    assert second.returncode == 0, said
    assert (tree.folder / goal).exists()


def is_locked(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError), open(path) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
