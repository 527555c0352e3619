"""Kill a smoke run at random, again and again, and compare what it ends in with an undisturbed one.

    python tests/workflow/kills.py fashion_resnet --kills 20

Half of the kills end everything at once, as a power cut does; the others end Snakemake alone, whose jobs live on.
Nothing is unlocked or removed by hand in between. Ends with status 1 where a byte differs or something is left over.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conftest import Tree, copy_repository

RESULTS = ("*.safetensors", "*.npy", "*.parquet", "*.csv", "*.json")
MEASURED = ("costs/", "tables/cost.csv", "tables/timing.csv", "provenance.json")
"""What holds seconds, or times of day."""

START_SECONDS = 4.0  # before which a run has not begun to work


def command(tree: Tree, target: str) -> subprocess.Popen:
    """Start a run in a process group of its own."""
    words = ["-m", "snakemake", "--cores", str(os.cpu_count()), "--config", "tier=smoke", "--", target]
    environment = os.environ | {"PYTHONPATH": str(tree.folder / "src")}
    log = open(tree.folder / "run.log", "a")  # noqa: SIM115 (the process keeps it)
    pipes = {"stdout": log, "stderr": subprocess.STDOUT, "start_new_session": True}
    return subprocess.Popen([sys.executable, *words], cwd=tree.folder, env=environment, **pipes)


def undisturbed(folder: Path, name: str, target: str) -> tuple[Tree, float]:
    """Return a finished run, and the seconds that it took."""
    tree, started = copy_repository(folder), time.monotonic()
    if command(tree, target).wait():
        sys.exit(f"the undisturbed run failed: {folder}/run.log")
    return tree.of(name), time.monotonic() - started


def disturbed(folder: Path, name: str, target: str, kills: int, seconds: float, rng: random.Random) -> Tree:
    """Return a run that was killed so many times before it came to its end."""
    tree, done = copy_repository(folder), 0
    while done < kills:
        run = command(tree, target)
        time.sleep(START_SECONDS + rng.uniform(0, 2 * seconds / kills))
        if run.poll() is not None:
            if run.returncode:
                sys.exit(f"a run failed by itself after {done} kills: {folder}/run.log")
            print(f"the run was through after {done} kills", flush=True)
            break
        whole = rng.random() < 0.5
        (os.killpg if whole else os.kill)(run.pid, signal.SIGKILL)
        run.wait()
        done += 1
        print(f"kill {done} of {kills}: {'everything' if whole else 'Snakemake alone'}", flush=True)
    if command(tree, target).wait():
        sys.exit(f"the last run failed: {folder}/run.log")
    return tree.of(name)


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each result by its path, what is measured left out."""
    paths = {path.relative_to(folder).as_posix(): path for pattern in RESULTS for path in folder.rglob(pattern)}
    named = {name: path for name, path in paths.items() if path.is_file() and not name.startswith(MEASURED)}
    # The records of models and shards hold what their training cost.
    kept = {name: path for name, path in named.items() if not (name.startswith("train/") and name.endswith(".json"))}
    hidden = {name for name in kept if any(part.startswith(".") for part in Path(name).parts)}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in kept.items() if name not in hidden}


def leftovers(folder: Path) -> list[str]:
    """Return what unfinished work has left; Snakemake dates the folders that it makes by a file in them."""
    hidden = [path for path in folder.rglob(".*") if path.is_file() and path.name != ".snakemake_timestamp"]
    return list(map(str, [*hidden, *folder.rglob("*.state.*")]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="an experiment with the tier smoke")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work; by default a temporary folder")
    parser.add_argument("--target", help="what to build, by default the experiment")
    arguments = parser.parse_args()
    name, target = arguments.name, arguments.target or arguments.name
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        expected, seconds = undisturbed(folder / "undisturbed", name, target)
        print(f"undisturbed: {seconds:.0f} s", flush=True)
        rng = random.Random(arguments.seed)
        found = disturbed(folder / "disturbed", name, target, arguments.kills, seconds, rng)
        theirs, ours = digests(expected.results), digests(found.results)
        different = sorted(name for name in theirs | ours if theirs.get(name) != ours.get(name))
        left = leftovers(found.results)
        print(f"{len(theirs)} files compared; {len(different)} differ: {different}; left over: {left}")
        sys.exit(bool(different or left))


if __name__ == "__main__":
    main()
