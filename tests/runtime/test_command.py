import json
import subprocess
import sys

import pytest

from trakway.errors import UserError
from trakway.runtime.command import Command

SCRIPT = """
from trakway.runtime.command import Command
from trakway.errors import UserError

def main(arguments):
    if arguments.fail == "user":
        raise UserError("training.epochs: found -1, allowed: 1 or more")
    if arguments.fail == "disk":
        with open("/dev/full", "w") as full:
            full.write("a table")
    if arguments.fail == "library":
        raise ValueError("I/O error: No space left on device (os error 28)")
    if arguments.fail:
        raise RuntimeError("a defect")

command = Command("a script")
command.add_argument("--fail", default="")
command.run(main)
"""


@pytest.fixture
def script(tmp_path, environment):
    """Run a script of the workflow with these arguments."""
    (tmp_path / "script.py").write_text(SCRIPT)

    def run(*arguments):
        command = [sys.executable, str(tmp_path / "script.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)

    return run


@pytest.fixture
def call(monkeypatch):
    """Run ``main`` as a command in this process and return the arguments it got."""

    def call(main, *arguments, computes=False, claimed="cpu"):
        monkeypatch.setattr(sys, "argv", ["script.py", *arguments])
        choices = []
        monkeypatch.setattr("trakway.runtime.command.device.claim", lambda choice: choices.append(choice) or claimed)
        Command("a script", computes).run(main)
        return choices

    return call


def test_a_user_error_is_printed_alone(script, tmp_path):
    ended = script("--fail", "user", "--cost", "cost.json")
    assert ended.returncode == 1
    assert ended.stderr == "error: training.epochs: found -1, allowed: 1 or more\n"
    assert ended.stdout == ""
    assert not (tmp_path / "cost.json").exists()


@pytest.mark.parametrize("kind", ["disk", "library"])
def test_a_full_disk_is_told(script, tmp_path, kind):
    ended = script("--fail", kind)
    assert ended.returncode == 1
    for words in ("error: ", "No space left on device; found", f"bytes free in {tmp_path}; free some"):
        assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_defect_keeps_its_traceback(script):
    ended = script("--fail", "defect")
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert "RuntimeError: a defect" in ended.stderr


def test_success_is_silent_and_costs(script, tmp_path):
    ended = script("--cost", "deep/cost.json")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    cost = json.loads((tmp_path / "deep" / "cost.json").read_text())
    assert set(cost) == {"cpu_seconds", "wall_seconds", "peak_mb", "processor", "gpu"}
    assert all(0 <= cost[name] < 1000 for name in ("cpu_seconds", "wall_seconds", "peak_mb"))
    assert (bool(cost["processor"]), cost["gpu"]) == (True, None)


def test_the_cost_main_returns_goes_before(call, tmp_path):
    whole = {"cpu_seconds": 70.0, "wall_seconds": 80.0, "peak_mb": 90.0}
    call(lambda arguments: whole, "--cost", str(tmp_path / "cost.json"))
    assert json.loads((tmp_path / "cost.json").read_text()).items() >= whole.items()


@pytest.mark.parametrize(("given", "choice"), [((), "auto"), (("--device", "cuda"), "cuda")])
def test_a_script_that_computes_claims_its_device_first(call, given, choice):
    seen = []
    choices = call(lambda arguments: seen.append(arguments.device), *given, computes=True, claimed="cuda")
    assert choices == [choice]
    assert seen == ["cuda"]


def test_other_scripts_claim_none(call):
    seen = []
    assert call(seen.append) == []
    assert not hasattr(seen[0], "device")


def test_a_device_that_is_not_there_is_a_user_error(monkeypatch, capsys):
    def claim(choice):
        raise UserError("device: no GPU here")

    monkeypatch.setattr(sys, "argv", ["script.py"])
    monkeypatch.setattr("trakway.runtime.command.device.claim", claim)
    with pytest.raises(SystemExit) as end:
        Command("a script", computes=True).run(lambda arguments: pytest.fail("ran without a device"))
    assert end.value.code == "error: device: no GPU here"


def test_one_thread_a_process_unless_told_otherwise(environment):
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"]
    bare = {name: value for name, value in environment.items() if name not in names}
    code = f"import os, trakway.runtime.command; print(*(os.environ[name] for name in {names}))"

    def threads(**variables):
        return subprocess.check_output([sys.executable, "-c", code], env=bare | variables, text=True).split()

    assert threads() == ["1", "1", "1", "1"]
    assert threads(MKL_NUM_THREADS="3") == ["1", "1", "3", "1"]
