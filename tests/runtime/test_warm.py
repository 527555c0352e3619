"""Jobs that are forked from a process which has the libraries: they behave as scripts that were started alone."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trakway.runtime.warm import LIBRARIES, RUN, warm

SCRIPT = """
import json, os, sys, time
from pathlib import Path
from trakway.runtime.command import Command

def main(arguments):
    {body}

command = Command("A job.")
command.add_argument("--output", type=Path)
command.run(main)
"""
TELL = """
    import {library}
    print("said", file=sys.stderr)
    state = {{"pid": os.getpid(), "parent": os.getppid(), "argv": sys.argv, "folder": os.getcwd(), "path": sys.path,
             "mine": os.environ.get("MINE"), "run": os.environ.get("TRAKWAY_WARM"), "seed": hash("the same"),
             "cpu": time.process_time(), "has": [name for name in {libraries} if name in sys.modules]}}
    state["input"] = sys.stdin.read()
    arguments.output.write_text(json.dumps(state))
"""


@pytest.fixture
def environment(environment, monkeypatch):
    """Nothing said of threads, neither to the run nor to its jobs."""
    said = [name for name in os.environ if name.endswith("_NUM_THREADS")]
    for name in said:
        monkeypatch.delenv(name)
    return {name: value for name, value in environment.items() if name not in said}


@pytest.fixture
def start(tmp_path, environment):
    """Start a script as a job of the run, if there is one."""

    def start(body: str, *words, folder: Path = tmp_path, **variables) -> subprocess.Popen:
        script = tmp_path / f"job{len(list(tmp_path.iterdir()))}.py"
        script.write_text(SCRIPT.format(body=body.strip()))
        run = {RUN: os.environ[RUN]} if RUN in os.environ else {}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [sys.executable, str(script), *map(str, words)]
        return subprocess.Popen(command, cwd=folder, env=environment | run | variables, text=True, **pipes)

    return start


def tell(library: str, before: str = "()") -> str:
    return TELL.format(library=library, libraries=before)


def told(process: subprocess.Popen, output: Path) -> dict:
    _, errors = process.communicate("given")
    assert process.returncode == 0, errors
    assert errors == "said\n"
    return json.loads(output.read_text())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(true, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_job_has_its_own_folder_environment_words_and_files(start, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    state = []
    with warm():
        for number in range(2):
            words = ("--output", tmp_path / f"{number}.json")
            process = start(tell("json"), *words, folder=tmp_path / "elsewhere", MINE=f"ä {number}")
            state.append(told(process, tmp_path / f"{number}.json"))
            assert state[-1]["pid"] != process.pid
            assert state[-1]["argv"][1:] == list(map(str, words))
            assert state[-1]["path"][0] == str(tmp_path)
            assert state[-1]["folder"] == str(tmp_path / "elsewhere")
            assert (state[-1]["mine"], state[-1]["run"], state[-1]["input"]) == (f"ä {number}", None, "given")
    assert state[0]["parent"] == state[1]["parent"] != os.getpid()
    assert state[0]["seed"] == state[1]["seed"]


def test_what_one_job_has_imported_the_next_one_has_at_once(start, tmp_path):
    body = "before = [name for name in ('pandas', 'mine') if name in sys.modules]\n    import pandas, mine\n"
    body += "    arguments.output.write_text(json.dumps(before))"
    (tmp_path / "mine.py").write_text("")  # beside the script: not one of the libraries
    assert "pandas" in LIBRARIES

    def has() -> list[str]:
        process = start(body, "--output", tmp_path / "has.json")
        assert process.wait() == 0, process.communicate()
        return json.loads((tmp_path / "has.json").read_text())

    with warm():
        assert has() == []
        wait_for(lambda: has() == ["pandas"])


def test_one_thread_in_a_library_that_was_there_before(start, tmp_path):
    body = "before = 'torch' in sys.modules\n    import torch\n"
    body += "    arguments.output.write_text(json.dumps([before, torch.get_num_threads()]))"

    def threads() -> list:
        process = start(body, "--output", tmp_path / "threads.json")
        assert process.wait() == 0, process.communicate()
        return json.loads((tmp_path / "threads.json").read_text())

    with warm():
        assert threads() == [False, 1]
        wait_for(lambda: threads()[0])
        assert threads() == [True, 1]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("sys.exit(7)", 7, ""),
        ("raise ValueError('seven')", 1, "ValueError: seven\n"),
        ("from trakway.errors import UserError; raise UserError('a word')", 1, "error: a word\n"),
        ("os.kill(os.getpid(), 9)", -9, ""),
        ("os.kill(os.getpid(), 15)", -15, ""),
        ("pass", 0, ""),
        ("print('no end of a line', end='', file=sys.stderr)", 0, "no end of a line"),
    ],
)
def test_it_ends_as_its_work_ends(start, body, status, said):
    alone = start(body)
    theirs = alone.communicate()
    with warm():
        process = start(body)
        _, errors = process.communicate()
        assert (process.returncode, errors.endswith(said)) == (status, True), errors
    assert alone.returncode == status
    assert theirs[1].endswith(said)


WAITS = "arguments.output.write_text(str(os.getpid())); time.sleep(60)"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_killing_the_script_ends_its_work(start, tmp_path, number):
    with warm():
        process = start(WAITS, "--output", tmp_path / "pid")
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        process.send_signal(number)
        assert process.wait() == -number
        wait_for(lambda: not alive(int((tmp_path / "pid").read_text())))


RUN_OF_TWO = """
import os, subprocess, sys, time
from trakway.runtime.warm import warm
with warm():
    jobs = [subprocess.Popen([sys.executable, sys.argv[1], "--output", output]) for output in sys.argv[2:]]
    print(os.environ["TRAKWAY_WARM"], flush=True)
    time.sleep(60)
"""


def test_jobs_of_a_killed_run_go_on_and_nothing_is_left(tmp_path, environment):
    script = tmp_path / "job.py"
    body = "arguments.output.write_text('begun')\n    time.sleep(2)\n    arguments.output.write_text('ended')"
    script.write_text(SCRIPT.format(body=body))
    outputs = [tmp_path / "1", tmp_path / "2"]
    command = [sys.executable, "-c", RUN_OF_TWO, script, *outputs]
    run = subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.PIPE, text=True)
    socket = Path(run.stdout.readline().strip().rpartition(":")[2])
    wait_for(lambda: all(output.exists() for output in outputs))
    run.kill()
    run.communicate()
    wait_for(lambda: all(output.read_text() == "ended" for output in outputs))
    wait_for(lambda: not socket.parent.exists())


def test_the_death_of_the_process_ends_its_jobs(start, tmp_path):
    outputs = [tmp_path / "first", tmp_path / "second"]
    with warm():
        jobs = [start(WAITS, "--output", output) for output in outputs]
        wait_for(lambda: all(output.exists() and output.read_text() for output in outputs))
        pids = [int(output.read_text()) for output in outputs]
        (parent,) = {int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in pids}
        os.kill(parent, signal.SIGKILL)
        for job in jobs:
            _, errors = job.communicate()
            assert (job.returncode, "has ended; run again" in errors) == (1, True)
        wait_for(lambda: not any(alive(pid) for pid in pids))
        later = start(WAITS.replace("60", "0"), "--output", tmp_path / "pid")
        assert later.wait() == 0  # by itself
        assert int((tmp_path / "pid").read_text()) == later.pid


def test_another_interpreter_works_alone(start, tmp_path):
    with warm():
        elsewhere = f"/another{os.environ[RUN]}"
        process = start(WAITS.replace("60", "0"), "--output", tmp_path / "pid", **{RUN: elsewhere})
        assert process.wait() == 0
    assert int((tmp_path / "pid").read_text()) == process.pid


def test_a_path_too_long_for_a_socket(monkeypatch, tmp_path):
    (tmp_path / ("long" * 30)).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("long" * 30)))
    with warm():
        assert RUN not in os.environ
    assert list((tmp_path / ("long" * 30)).iterdir()) == []
