"""Run the smoke tier of fashion_resnet on SLURM, and see to it that three of its jobs come to grief.

    tests/cluster/with_slurm python tests/cluster/disturbed.py RECORD [SNAKEMAKE'S ARGUMENTS ...]

One job is cancelled while it runs, one hangs until SLURM ends it for its time, one gets less memory than it takes.
RECORD is a JSON list of all jobs that were in the queue, in their order: number, state, memory (MB), time (minutes),
rule and wildcards.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CANCELLED, LATE, LARGE = "_evaluation_", "_estimation_", "rule_train_features_"
RUN = [
    *("--workflow-profile", "slurm", "--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "5"),
    *("--set-resources", "train_features:slurm_extra='--hold'"),  # held until its memory has been looked at
    *("--config", "tier=smoke", "device=cpu", "--", "fashion_resnet"),
]


def slurm(*words: object) -> str:
    return subprocess.run([*map(str, words)], check=True, capture_output=True, text=True).stdout


def jobs() -> list[dict]:
    lines = slurm("squeue", "--noheader", "--states=all", "--sort=i", "--format=%A|%T|%m|%l|%k").splitlines()
    found = []
    for number, state, memory, limit, job in (line.split("|") for line in lines):
        days, _, clock = limit.rpartition("-")
        hours, minutes, _ = map(int, f"0:0:{clock}".split(":")[-3:])
        memory = int(memory.removesuffix("M").replace("G", "000"))
        minutes += 60 * hours + 1440 * int(days or 0)
        found.append({"number": int(number), "state": state, "memory": memory, "minutes": minutes, "job": job})
    return found


def freeze(number: int) -> bool:
    """Stop the training of a job, if it has come so far."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            mine = f"SLURM_JOB_ID={number}\0".encode() in (folder / "environ").read_bytes()
            if mine and b"/train.py\0--settings" in (folder / "cmdline").read_bytes():
                os.kill(int(folder.name), signal.SIGSTOP)
                return True
        except OSError:  # it has ended
            continue
    return False


def disturb(job: dict, done: set[str | int]) -> None:
    """Do to a job what has not been done yet, and let go what is held."""
    name, number = job["job"], job["number"]
    training = name.startswith("rule_train_wildcards_") and job["state"] == "RUNNING"
    if name.startswith(LARGE) and job["state"] == "PENDING" and number not in done:
        if LARGE not in done:
            slurm("scontrol", "update", f"JobId={number}", "MinMemoryNode=200")
        slurm("scontrol", "release", number)
        done |= {LARGE, number}
    elif training and CANCELLED in name and CANCELLED not in done:
        slurm("scancel", number)
        done.add(CANCELLED)
    elif training and LATE in name and LATE not in done and freeze(number):
        slurm("scontrol", "update", f"JobId={number}", "EndTime=now+1seconds")
        done.add(LATE)


def main(record: str, *arguments: str) -> int:
    run = subprocess.Popen([sys.executable, "-m", "snakemake", *(arguments or RUN)])
    done = set()
    while run.poll() is None:
        with contextlib.suppress(subprocess.CalledProcessError):  # it has just ended, or SLURM is busy: another time
            for job in jobs():
                disturb(job, done)
        time.sleep(0.5)
    Path(record).write_text(json.dumps(jobs(), indent=1))
    return run.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
