import csv
import os
import subprocess
import sys
from pathlib import Path

GPU = Path(__file__).parents[1] / "benchmarks/gpu.py"


def test_without_a_gpu_every_step_is_skipped_and_says_so(environment, tmp_path):
    command = [sys.executable, GPU, "--output", tmp_path / "gpu.csv"]
    hidden = environment | {"CUDA_VISIBLE_DEVICES": ""}
    ended = subprocess.run(command, env=hidden, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    rows = list(csv.DictReader((tmp_path / "gpu.csv").read_text().splitlines()))
    steps = {row["step"]: row["status"] for row in rows}
    assert {"kernels", "projections", "features", "smoke fashion_resnet", "demo fashion_resnet"} <= set(steps)
    assert set(steps.values()) == {"skipped: no GPU"}
    assert [line.split("  ")[:2] for line in ended.stdout.splitlines()] == [list(item) for item in steps.items()]
    assert os.listdir(tmp_path) == ["gpu.csv"]
