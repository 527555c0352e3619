"""On a real SLURM what is cancelled, late or too large comes back with more, and gives what one machine gives."""

import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from trakway.runtime.device import visible_gpus

CLUSTER = Path(__file__).parents[1] / "cluster"
WAIT = 1200  # seconds; beside other work on two cores it took 340


@pytest.fixture(scope="module")
def queued(tree):
    """A copy of the repository in which the run went through the queue; ``jobs`` is what was in it, in order."""
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("needs the extra `slurm`")
    logs, record = tree.folder.parent / "slurm", tree.folder.parent / "jobs.json"
    command = [CLUSTER / "with_slurm", "--logs", logs, sys.executable, CLUSTER / "disturbed.py", record]
    run = tree.run(command, timeout=WAIT)
    if run.returncode == 77:
        pytest.skip(run.stdout.strip())
    assert run.returncode == 0, run.stdout[-5000:]
    tree.jobs = json.loads(record.read_text())
    tree.printed = run.stdout
    return tree


def attempts(queued, *words):
    """Return state, memory and minutes of the jobs whose comment holds all words."""
    return [
        (job["state"], job["memory"], job["minutes"])
        for job in queued.jobs
        if all(word in job["job"] for word in words)
    ]


def test_only_work_is_queued(queued):
    rules = {job["job"].removeprefix("rule_").split("_wildcards_")[0] for job in queued.jobs}
    work = {
        "prepare_data",
        "train",
        "outputs",
        "representations",
        "train_features",
        "target_features",
        "scores",
        "cost",
    }
    assert rules == work


def test_a_cancelled_job_comes_back(queued):
    assert attempts(queued, "rule_train_wildcards_", "_evaluation_") == [
        ("CANCELLED", 8000, 1440),
        ("COMPLETED", 16000, 2880),
    ]


def test_a_job_over_its_time_gets_more(queued):
    (first, *_), second = attempts(queued, "rule_train_wildcards_", "_estimation_")
    assert (first, second) == ("TIMEOUT", ("COMPLETED", 16000, 2880))


def test_a_job_over_its_memory_gets_more(queued):
    found = attempts(queued, "rule_train_features_")
    (large,) = [job for job in found if job[0] != "COMPLETED"]
    assert large[:2] in (("FAILED", 200), ("OUT_OF_MEMORY", 200))
    assert ("COMPLETED", 16000, 2880) in found


def test_nothing_else_failed(queued):
    assert sum(job["state"] != "COMPLETED" for job in queued.jobs) == 3


def digests(folder, *patterns):
    found = [file for pattern in patterns for file in sorted(folder.glob(pattern))]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in found}


def test_the_results_are_those_of_one_machine(queued, smoke):
    if visible_gpus():
        pytest.skip("the other run computed on a GPU")
    files = ("train/*/models/*.safetensors", "features/**/*.npy", "scores/*.npy", "outputs/*/*.npy", "tables/lds*.csv")
    one = digests(smoke.of("fashion_resnet").results, *files)
    many = digests(queued.results, *files)
    assert len(many) > 40
    assert many == {name: one[name] for name in many}


def test_nothing_of_the_cluster_is_left(queued):
    assert not Path("/etc/slurm/slurm.conf").exists() or "trakway" not in Path("/etc/slurm/slurm.conf").read_text()
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(queued.folder) not in running
