import os
import select
import subprocess
import sys

import pytest

from trakway.errors import UserError
from trakway.runtime import device

LISTING = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)
  MIG 1g.5gb     Device  0: (UUID: MIG-bbbb)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-cccc)
"""
CLAIM = (
    "import os, sys\n"
    "from trakway.runtime import device\n"
    "print(device.claim(sys.argv[1], poll_seconds=0.02), os.environ['CUDA_VISIBLE_DEVICES'], flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Make this a machine whose nvidia-smi prints a text and exits with a status; None: it has no nvidia-smi."""
    for variable in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID"):
        monkeypatch.setenv(variable, "")  # so that what claim sets is undone, too
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # where the locks lie
    monkeypatch.setattr(device, "_held", [])

    def machine(listing, status=0):
        if listing is not None:
            script = tmp_path / "nvidia-smi"
            script.write_text(f"#!/bin/sh\n[ \"$1\" = -L ] || exit 9\n/bin/cat <<'END'\n{listing}END\nexit {status}\n")
            script.chmod(0o755)

    return machine


@pytest.mark.parametrize(
    ("listing", "status", "gpus"),
    [
        (LISTING, 0, ["0", "1"]),
        ("", 0, []),
        (None, 0, []),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", 9, []),
        (LISTING, 9, []),
    ],
)
def test_gpus_come_from_nvidia_smi(machine, listing, status, gpus):
    machine(listing, status)
    assert device.visible_gpus() == gpus


@pytest.mark.parametrize(
    ("value", "gpus"),
    [
        ("", []),
        ("-1", []),
        ("none", []),
        ("NoDevFiles", []),
        ("1", ["1"]),
        ("1,0", ["1", "0"]),
        ("1,3,0", ["1"]),
        ("GPU-aaaa,GPU-cccc", ["GPU-aaaa", "GPU-cccc"]),
        ("GPU-dddd", []),
        ("MIG-bbbb", ["MIG-bbbb"]),
    ],
)
def test_the_environment_goes_before_nvidia_smi(machine, monkeypatch, value, gpus):
    machine(LISTING)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert device.visible_gpus() == gpus


@pytest.mark.parametrize("value", ["0", "none", "NoDevFiles", "GPU-aaaa"])
def test_without_a_gpu_the_environment_names_none(machine, monkeypatch, value):
    machine(None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert device.visible_gpus() == []
    assert device.claim("auto") == "cpu"


def test_a_hanging_driver_counts_as_none(machine, monkeypatch):
    def hang(*arguments, timeout, **options):
        raise subprocess.TimeoutExpired("nvidia-smi", timeout)

    monkeypatch.setattr(device.subprocess, "run", hang)
    assert device.visible_gpus() == []


@pytest.mark.parametrize("choice", ["auto", "cpu"])
def test_without_a_gpu_it_is_the_cpu(machine, monkeypatch, choice):
    machine("")
    assert device.claim(choice) == "cpu"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_cpu_hides_the_gpus_there_are(machine, tmp_path):
    machine(LISTING)
    assert device.claim("cpu") == "cpu"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert not list(tmp_path.glob("trakway-gpus-*"))


def test_cuda_without_a_gpu_is_an_error(machine):
    machine(None)
    with pytest.raises(UserError, match=r"device: 'cuda' .* no GPU here; set `device: auto` in config/config.yaml"):
        device.claim("cuda")


def test_an_unknown_choice_is_an_error(machine):
    with pytest.raises(UserError, match="device: found 'gpu', allowed: auto, cpu, cuda"):
        device.claim("gpu")


def test_slurm_has_assigned_the_gpu(machine, monkeypatch, tmp_path):
    machine("".join(f"GPU {number}: NVIDIA A100 (UUID: GPU-{number})\n" for number in range(4)))
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert device.claim("auto") == device.claim("cuda") == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert not list(tmp_path.glob("trakway-gpus-*"))


class Process:
    """A process that claims a device, says which, and keeps it until it ends."""

    def __init__(self, choice, environment):
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLAIM, choice],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def says(self, seconds):
        """Return what it has claimed, None if it says nothing for so long."""
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        return self.process.stdout.readline().strip() if ready else None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def start(machine, environment, tmp_path):
    machine(LISTING)
    hidden = ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID")
    environment = {name: value for name, value in environment.items() if name not in hidden}
    environment |= {"PATH": str(tmp_path), "TMPDIR": str(tmp_path)}
    processes = []

    def start(choice="auto", **variables):
        processes.append(Process(choice, environment | variables))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


def test_processes_take_different_gpus_and_wait_for_a_free_one(start):
    first, second = start(), start("cuda")
    assert {first.says(20), second.says(20)} == {"cuda 0", "cuda 1"}
    third = start()
    assert third.says(0.5) is None
    second.process.stdin.close()  # ends in peace
    freed = third.says(20)
    assert freed in ("cuda 0", "cuda 1")
    fourth = start()
    assert fourth.says(0.3) is None
    third.kill()  # by SIGKILL: the lock goes with the process
    assert fourth.says(20) == freed


def test_places_on_a_gpu_are_taken_evenly_and_no_more_than_there_are(start):
    claimed = [start(**{device.PLACES: "2"}).says(20) for _ in range(4)]
    assert [set(claimed[:2]), set(claimed[2:])] == [{"cuda 0", "cuda 1"}] * 2
    assert start(**{device.PLACES: "2"}).says(0.5) is None


def test_only_visible_gpus_are_claimed(start):
    first, second = start(CUDA_VISIBLE_DEVICES="1"), start(CUDA_VISIBLE_DEVICES="1")
    ready, _, _ = select.select([first.process.stdout, second.process.stdout], [], [], 20)
    lucky, waiting = (first, second) if first.process.stdout in ready else (second, first)
    assert lucky.says(0) == "cuda 1"
    assert start().says(20) == "cuda 0"
    assert waiting.says(0.3) is None
    lucky.kill()
    assert waiting.says(20) == "cuda 1"


def test_torch_is_not_imported(environment):
    code = (
        "import sys, trakway.runtime.device, trakway.runtime.command\n"
        "assert not {'torch', 'numpy', 'pandas', 'numba'} & set(sys.modules), 'heavy'"
    )
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
