import subprocess
import sys
from pathlib import Path

import pytest

from trakway.errors import UserError
from trakway.plan import Removal, count_removal_rows, removal_rows

REMOVAL = {
    "targets": 3,
    "fractions": [0.1, 0.2],
    "sides": ["top", "bottom"],
    "methods": ["trak", "pixel"],
    "random": 4,
    "seeds": 2,
    "reference": 5,
}


def test_full_grid_for_all_by_default():
    rows = removal_rows(REMOVAL)
    assert count_removal_rows(REMOVAL) == len(rows) == 2 * 2 * 2 * 3 + 2 * 4
    assert len(set(rows)) == len(rows)
    assert rows == removal_rows(REMOVAL | {"full_grid": None})
    assert rows == removal_rows(REMOVAL | {"full_grid": ["pixel", "trak"]})
    assert rows[:3] == [Removal("trak", "top", 0.1, target) for target in range(3)]
    assert rows[-1] == Removal("random", "random", 0.2, -1, 3)


def test_methods_outside_the_full_grid_are_compared_at_one_fraction():
    removal = REMOVAL | {"full_grid": ["trak"], "compare_fraction": 0.2}
    rows = [row for row in removal_rows(removal) if row.method == "pixel"]
    assert rows == [Removal("pixel", "top", 0.2, target) for target in range(3)]
    assert count_removal_rows(removal) == 2 * 2 * 3 + 3 + 2 * 4
    assert rows == [row for row in removal_rows(removal | {"sides": ["bottom"]}) if row.method == "pixel"]
    assert count_removal_rows(removal | {"full_grid": []}) == 3 + 3 + 2 * 4
    assert count_removal_rows(removal | {"sides": ["bottom"]}) == 2 * 3 + 3 + 2 * 4


def test_random_is_the_control_only():
    rows = removal_rows(REMOVAL | {"methods": ["random", "trak", "pixel"]})
    assert rows == removal_rows(REMOVAL)
    assert count_removal_rows(REMOVAL | {"methods": ["random"], "random": 0}) == 0


def test_mistakes():
    with pytest.raises(UserError, match=r"removal\.full_grid: 'trac' is not among removal\.methods \(trak, pixel\)"):
        removal_rows(REMOVAL | {"full_grid": ["trac"], "compare_fraction": 0.1})
    for wrong in ({}, {"compare_fraction": 0.3}, {"compare_fraction": None}):
        with pytest.raises(
            UserError, match=r"removal\.compare_fraction: found .* one of removal\.fractions \(0\.1, 0\.2\)"
        ):
            removal_rows(REMOVAL | {"full_grid": ["trak"]} | wrong)
    assert removal_rows(REMOVAL | {"full_grid": ["trak", "pixel"], "compare_fraction": 0.3})  # not needed, not checked


def test_imports_nothing_heavy():
    code = "import sys, trakway.plan; print([m for m in ('numpy', 'pandas', 'torch', 'scipy') if m in sys.modules])"
    source = Path(__file__).parents[1] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(source)}, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
