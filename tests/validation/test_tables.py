"""Tests of the tables that join what jobs have left, and of what all tables say of themselves."""

import pandas as pd
import pytest

from trakway import report
from trakway.validation import models, timing

TABLES = {file.stem: table for file, table in report.declared_tables().items()}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_what_it_holds(name):
    table = TABLES[name]
    assert table.section
    for caption in (table.caption, *filter(None, table.beside.values())):
        assert len(caption) > 30
        assert caption.endswith(".")


def test_models_in_order_with_the_columns_there_are():
    parts = {
        f"members/{place}": pd.DataFrame({"index": [place], "ensemble": "members", "loss": 0.5, "path": "x"})
        for place in (1, 0)
    }
    table = models.make(parts)
    assert table.columns.tolist() == ["ensemble", "index", "loss"]
    assert table["index"].tolist() == [1, 0]


def test_timing_adds_up_shards():
    def cost(seconds, peak):
        return {"cpu_seconds": seconds, "wall_seconds": 2 * seconds, "peak_mb": peak}

    costs = {
        "data": cost(1.234, 10.4),
        "train/members/0-1": cost(1, 5),
        "train/members/1-2": cost(2, 7),
        "train/removal/0-1": cost(4, 6),
        "features/sjlt/output/0/0-1": cost(8, 1),
    }
    rows = timing.make(costs)
    assert rows.columns[:2].tolist() == ["stage", "method"]
    assert rows.iloc[:, :5].values.tolist() == [
        ["data", "", 1.23, 2.47, 10],
        ["train", "members", 3, 6, 7],
        ["train", "removal", 4, 8, 6],
        ["features", "sjlt", 8, 16, 1],
    ]


def test_timing_names_every_kind_of_machine_that_a_row_ran_on():
    cost = {"cpu_seconds": 1, "wall_seconds": 1, "peak_mb": 1, "processor": "one", "gpu": None}
    costs = {
        "data": {name: cost[name] for name in ("cpu_seconds", "wall_seconds", "peak_mb")},  # of an earlier version
        "train/members/0-1": cost | {"gpu": "small"},
        "train/members/1-2": cost | {"gpu": "large"},
        "train/members/2-3": cost | {"gpu": "small"},
        "scores/trak": cost,
    }
    rows = timing.make(costs)[["processor", "gpu"]].values.tolist()
    assert rows == [["", ""], ["one", "large and small"], ["one", ""]]
