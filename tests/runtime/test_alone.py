"""One run at a time in a folder; other runs are processes of their own, as they are killed in earnest."""

import json
import signal
import socket
import subprocess
import sys
import time

import pytest

RUN = """
import sys, time
from pathlib import Path
from trakway.runtime.alone import alone
with alone(Path(sys.argv[1])):
    (Path(sys.argv[1]) / "locks").mkdir(exist_ok=True)
    (Path(sys.argv[1]) / "locks" / f"{sys.argv[2]}.output.lock").write_text("a file")
    print("works", flush=True)
    sys.stdin.readline()
    (Path(sys.argv[1]) / "locks" / f"{sys.argv[2]}.output.lock").unlink()
"""
JOB = """
import os, sys
os.environ["TRAKWAY_JOBS"] = sys.argv[1] + "/trakway.jobs"
from trakway.runtime import alone
alone.join()
print("works", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def start(environment):
    processes = []

    def start(program: str, *words: str) -> subprocess.Popen:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [sys.executable, "-c", program, *map(str, words)]
        processes.append(subprocess.Popen(command, env=environment, text=True, **pipes))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def works(process: subprocess.Popen) -> None:
    assert process.stdout.readline() == "works\n"


def end(process: subprocess.Popen) -> None:
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.wait() == 0


def test_two_runs_one_after_the_other(start, tmp_path):
    first = start(RUN, tmp_path, "first")
    works(first)
    second = start(RUN, tmp_path, "second")
    said = second.stderr.readline()
    assert said == f"the run of process {first.pid} works in this folder; waiting until it has ended\n"
    assert (tmp_path / "locks/first.output.lock").exists()
    end(first)
    works(second)
    end(second)


@pytest.mark.parametrize("host", [None, "another.machine"])
def test_what_a_killed_run_leaves(start, tmp_path, host):
    first = start(RUN, tmp_path, "first")
    works(first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    record = tmp_path / "trakway.run"
    left = json.loads(record.read_text())
    assert (left["host"], left["pid"]) == (socket.gethostname(), first.pid)
    if host:  # of a run there nothing is known here
        record.write_text(json.dumps(left | {"host": host}))
    second = start(RUN, tmp_path, "second")
    works(second)
    assert (tmp_path / "locks/first.output.lock").exists() == bool(host)
    end(second)
    assert record.read_text() == ""


def test_jobs_that_a_killed_run_leaves(start, tmp_path):
    job = start(JOB, tmp_path)
    works(job)
    run = start(RUN, tmp_path, "run")
    assert run.stderr.readline().startswith("jobs of a run that was killed still work in this folder; waiting")
    time.sleep(0.2)
    assert not (tmp_path / "locks").exists()
    end(job)
    works(run)
    end(run)
