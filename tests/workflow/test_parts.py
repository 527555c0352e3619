"""A figure and a table are one file each, put into a copy of the repository; and what all their rules share."""

import subprocess
import sys

import pytest

FIGURE = '''"""A figure of my own."""

from matplotlib.figure import Figure

from trakway.plan import figures

FIGURE = figures.Figure(
    section="Mine",
    title="mine by {main}",
    caption="What I looked for.",
    reads={"table": "tables/mine_table.csv", "scores": "scores/{method}.npy"},
    settings={"level": "lds.level"},
    without=("steps",),
    check="mine",
)


def draw(table, scores, level, title):
    """Draw it."""
    figure = Figure()
    figure.suptitle(title)
    return figure
'''
TABLE = '''"""A table of my own."""

from trakway.report.tables import Table

TABLE = Table(
    section="Mine", caption="What I counted.", reads={"outputs": "outputs/{ensemble}/{shard}.npy"}, without=("steps",)
)


def make(outputs):
    """Count models."""
    import pandas as pd

    return pd.DataFrame({"models": [sum(map(len, outputs.values()))]})
'''
FILES = {"src/trakway/figures/mine.py": FIGURE, "src/trakway/validation/mine_table.py": TABLE}


@pytest.fixture
def mine(tree):
    for file, text in FILES.items():
        (tree.folder / file).write_text(text)
    yield tree
    for file in FILES:
        (tree.folder / file).unlink()


def planned(printed):
    return {line.split()[0]: int(line.split()[1]) for line in printed.splitlines() if line.rpartition(" ")[2].isdigit()}


def test_one_file_adds_a_figure_and_one_a_table(mine):
    jobs = planned(mine.done("--dry-run", "smoke"))
    assert (jobs["figure_mine"], jobs["mine_table"]) == (2, 2)  # of the experiments without steps alone
    jobs = planned(mine.done("--dry-run", "--config", "tier=smoke", "--", "fashion_resnet_mine"))
    assert {"figure_mine", "mine_table", "outputs"} <= jobs.keys()
    assert not {"figure_lds", "lds", "timing"} & jobs.keys()


def test_a_mistake_in_a_file_is_told_before_anything_runs(mine):
    path = mine.folder / "src/trakway/figures/mine.py"
    path.write_text(FIGURE.replace('reads={"table"', 'reads={"tabel"'))
    result = mine.snakemake("--dry-run", "smoke")
    assert result.returncode != 0
    assert "figures/mine.py: draw: found no parameter tabel" in result.stdout
    assert "Traceback" not in result.stdout


def test_nothing_heavy_is_imported_to_plan():
    program = "import sys, trakway.plan, trakway.config; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numpy", "pandas", "matplotlib", "scipy", "trakway.figures", "trakway.validation"} & set(found)
