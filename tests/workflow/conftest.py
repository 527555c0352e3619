"""The workflow, run in copies of the repository and never in its own folder.

The finished smoke run is shared: the worker that needs it first makes it, the others wait for it.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from trakway.config import deep_merge, load_experiment

REPOSITORY = Path(__file__).parents[2]
# The smoke run begins before everything else, and what waits for it comes last: workers take files in this order.
FIRST = ("test_smoke.py", "test_targets.py", "test_parts.py", "test_mistakes.py")
LAST = (
    "test_slurm.py",
    "test_smoke_classification.py",
    "test_smoke_diffusion.py",
    "test_smoke_captions.py",
    "test_smoke_explorer.py",
    "test_smoke_notebook.py",
    "test_smoke_forecast.py",
    "test_kill.py",
    "test_own_checkpoints.py",
    "test_own.py",
    "test_own_methods.py",
    "test_reruns.py",
    "test_damage.py",
)


def pytest_collection_modifyitems(items):
    order = [*FIRST, "", *LAST]
    items.sort(key=lambda item: order.index(name if (name := item.path.name) in order else ""))


def cores() -> int:
    """Return this worker's share of the cores."""
    return max(1, (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


class Tree:
    """A copy of the repository to run the workflow in; ``name`` is the experiment that is looked at."""

    def __init__(self, folder: Path, name: str = "fashion_resnet"):
        self.folder = folder
        self.name = name
        self.results = folder / "results/smoke" / name

    def of(self, name: str) -> "Tree":
        """Return the same copy, to look at another experiment."""
        return Tree(self.folder, name)

    @property
    def settings(self) -> dict:
        """The experiment's settings at the smoke tier, as this copy has them now."""
        return load_experiment(self.folder / f"config/experiments/{self.name}.yaml", "smoke")

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """Run Snakemake on all of this worker's cores."""
        return self.python("-m", "snakemake", "--cores", str(cores()), *arguments, **environment)

    def python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """Run Python in this copy."""
        return self.run([sys.executable, *arguments], **environment)

    def run(self, command: list, timeout: float | None = None, **environment: str) -> subprocess.CompletedProcess:
        """Run a command in this copy, in a process group of its own; stdout and stderr come as one."""
        # PYTHONPATH: this copy's library, whatever is installed. Compiled files speed up the jobs.
        inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")}
        source = os.pathsep.join([str(self.folder / "src"), *filter(None, [environment.pop("PYTHONPATH", "")])])
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**inherited, "PYTHONPATH": source, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            timeout=timeout,
        )

    def done(self, *arguments: str) -> str:
        """Run Snakemake, which has to succeed, and return what it printed."""
        result = self.snakemake(*arguments)
        assert result.returncode == 0, result.stdout[-5000:]
        return result.stdout

    def pending(self, target: str = "smoke") -> set[str]:
        """Return the files that a run would make or make again, relative to the experiment's folder.

        Those of other experiments keep their whole path.
        """
        lines = self.done(target, "--summary").splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("output_file\t"))
        head, *rows = (line.split("\t") for line in lines[start:])
        plans = {row[0]: row[head.index("plan")] for row in rows}
        assert set(plans.values()) <= {"no update", "update pending"}, plans
        folder = f"results/smoke/{self.name}/"
        return {file.removeprefix(folder) for file, plan in plans.items() if plan == "update pending"}

    @contextmanager
    def edited(self, changes: dict) -> Iterator[None]:
        """Lay changes over the smoke tier of the experiment's YAML for a while."""
        path = self.folder / f"config/experiments/{self.name}.yaml"
        text = path.read_text()
        try:
            path.write_text(yaml.safe_dump(deep_merge(yaml.safe_load(text), {"tiers": {"smoke": changes}})))
            yield
        finally:
            path.write_text(text)

    @contextmanager
    def appended(self, file: str, text: str) -> Iterator[None]:
        """Append text to a file for a while."""
        path = self.folder / file
        before = path.read_text()
        try:
            path.write_text(before + text)
            yield
        finally:
            path.write_text(before)


def copy_repository(folder: Path) -> Tree:
    """Copy what a clone would hold, with all changes and without the tests, into a git repository of its own."""
    isolated = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    author = {"GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@localhost"}
    committer = {"GIT_COMMITTER_NAME": "test", "GIT_COMMITTER_EMAIL": "test@localhost"}

    def git(*words):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | isolated | author | committer
        subprocess.run(["git", *words], check=True, env=environment)

    git("init", "-q", "-b", "main", str(folder))
    here = ["--git-dir", str(folder / ".git"), "--work-tree", str(REPOSITORY)]
    git("-C", str(REPOSITORY), *here, "add", "-A", "--", ".", ":!tests", ":!benchmarks", ":!docs", ":!results")
    git("-C", str(folder), "commit", "-q", "-m", "copy")
    git("-C", str(folder), "reset", "-q", "--hard")
    return Tree(folder)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A fresh copy of the repository, one for each file of tests."""
    return copy_repository(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """A copy in which the target `smoke` has been built; ``printed`` is what the run said. Not to be changed."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    tree, record = Tree(shared / "smoke"), shared / "smoke.json"
    with open(shared / "smoke.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            copy_repository(tree.folder)
            # On all cores: the other workers have short tests to do until they wait for it.
            result = tree.snakemake("smoke", "--cores", "all")
            record.write_text(json.dumps({"returncode": result.returncode, "printed": result.stdout}))
    run = json.loads(record.read_text())
    assert run["returncode"] == 0, run["printed"][-5000:]
    tree.printed = run["printed"]
    return tree


@pytest.fixture(scope="module")
def finished(smoke, tmp_path_factory):
    """A copy of the finished smoke run that may be changed, one for each file of tests."""
    folder = tmp_path_factory.mktemp("finished") / "tree"
    shutil.copytree(smoke.folder, folder, symlinks=True)
    return Tree(folder)
