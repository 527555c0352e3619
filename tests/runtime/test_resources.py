import subprocess
import sys
import time

import pytest

from trakway.runtime import resources


def test_cpu_and_wall_seconds_are_told_apart():
    with resources.measured() as busy:
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
    with resources.measured() as idle:
        time.sleep(0.05)
    assert 0.05 <= busy["cpu_seconds"] < 0.5
    assert busy["wall_seconds"] > 0.9 * busy["cpu_seconds"]
    assert idle["wall_seconds"] >= 0.05
    assert idle["cpu_seconds"] < 0.04


def test_the_cost_of_a_failure_is_known_too():
    with pytest.raises(ValueError, match="broken"), resources.measured() as cost:
        raise ValueError("broken")
    assert set(cost) == {"cpu_seconds", "wall_seconds", "peak_mb"}


def test_peak_memory_is_in_mebibytes(environment):
    code = (
        "from trakway.runtime import resources\n"
        "with resources.measured() as before:\n    pass\n"
        "with resources.measured() as cost:\n    bytearray(b'x') * (200 * 2**20)\n"
        "with resources.measured() as after:\n    pass\n"
        "print(cost['peak_mb'] - before['peak_mb'], after['peak_mb'] - cost['peak_mb'])"
    )
    # In a process of its own: this one has held more before. A shell lies between, for Linux counts the memory of the
    # process that started another one as that one's.
    command = ["sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, code]
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    grown, later = map(float, output.split())
    assert 190 < grown < 220
    assert 0 <= later < 5
    with resources.measured() as cost:
        pass
    assert cost["peak_mb"] > 10


def test_costs_add_up():
    one = {"cpu_seconds": 1.0, "wall_seconds": 2.0, "peak_mb": 30.0}
    other = {"cpu_seconds": 0.5, "wall_seconds": 4.0, "peak_mb": 20.0}
    assert resources.add(one, other) == {"cpu_seconds": 1.5, "wall_seconds": 6.0, "peak_mb": 30.0}
    assert resources.add(resources.add(), one) == one
    assert resources.add() == {"cpu_seconds": 0, "wall_seconds": 0, "peak_mb": 0}
