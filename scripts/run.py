"""Build the experiments that config.yaml names, one after the other; each has its report as soon as it is done."""

import shlex
import subprocess
import sys
import time
from pathlib import Path

from trakway.config import load_config, load_experiments
from trakway.errors import UserError
from trakway.plan import modality_of
from trakway.runtime.command import Command
from trakway.runtime.progress import duration

REPOSITORY = Path(__file__).resolve().parents[1]


def main(arguments):
    config = load_config(REPOSITORY / "config/config.yaml", {"tier": arguments.tier} if arguments.tier else None)
    folder = Path(config["folder"] or REPOSITORY / "config/experiments").expanduser()
    names = in_order(load_experiments(folder, config["tier"], config["experiments"]))
    tier = ["--config", f"tier={config['tier']}"]
    for number, name in enumerate(names):
        said(f"{name}, experiment {number + 1} of {len(names)}")
        started = time.monotonic()
        results = Path(config["results"], config["tier"], name)
        report, page = results / "report.zip", results / "explorer/index.html"
        if not page.exists():  # a courtesy: what fails here is told by the run itself
            subprocess.run([sys.executable, REPOSITORY / "scripts/plan.py", name, "--brief", "--tier", config["tier"]])
        snakemake("--cores", arguments.cores, *tier, "--", name)
        snakemake("--report", report, *tier, "--", name, quiet=True)
        said(f"{name} took {duration(time.monotonic() - started)}; open {page}, read {report}")


def in_order(experiments: dict[str, dict]) -> list[str]:
    """Return the experiments' names, those first whose targets need no sampling: they are readable sooner."""
    return sorted(experiments, key=lambda name: modality_of(experiments[name]).targets == "sampled")


def said(text: str) -> None:
    print(f"== {text}", flush=True)


def snakemake(*words, quiet: bool = False) -> None:
    """Run Snakemake in the repository.

    Raises:
        UserError: it failed; it has said why, but for ``quiet`` ones.
    """
    command = [sys.executable, "-m", "snakemake", *map(str, words)]
    output = subprocess.DEVNULL if quiet else None
    status = ended(subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=output))
    if status:
        raise UserError(f"Snakemake has stopped with status {status}: {shlex.join(['snakemake', *command[3:]])}")


def ended(process: subprocess.Popen) -> int:
    """Wait for a process, which gets a terminal's interrupt too and ends in its own way; returns its status."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--cores", default="all", help="how many jobs may run at once")
    command.add_argument("--tier", help="another tier than that of config.yaml")
    command.run(main)
