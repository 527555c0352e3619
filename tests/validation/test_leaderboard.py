"""The leaderboard from published tables, and its figure."""

import json
import math

import pandas as pd
import pytest

from trakway.errors import UserError
from trakway.figures.leaderboard import draw
from trakway.validation.leaderboard import COLUMNS, leaderboard

METHODS = ("trak", "theirs", "random")  # the second a user's own array of scores


def lds_rows(kind, timestep, lds):
    rows = [(kind, timestep, method, value) for method, value in zip(METHODS, lds, strict=True)]
    table = pd.DataFrame(rows, columns=["kind", "timestep", "method", "lds"])
    return table.assign(
        lds_low=table["lds"] - 0.1, lds_high=table["lds"] + 0.1, ceiling=0.8, over_ceiling=table["lds"] / 0.8,
        subsets=30, seeds=2, members=3, dim=64, ridge=1.0, targets=20,
    )  # fmt: skip


@pytest.fixture
def publish(tmp_path):
    """Write the published tables of an experiment."""

    def publish(name, lds, **further):
        folder = tmp_path / name
        folder.mkdir()
        means = lds.groupby("method", sort=False)["lds"].mean()
        rows = [(method, share, seconds * share, means[method] - 0.1 * (share < 2), 0.0, 1.0, 0.8)
                for method, seconds in zip(METHODS, (100.0, 7.5, 0.1), strict=True) for share in (1, 2)]  # fmt: skip
        columns = ["method", "models", "cpu_seconds", "lds", "lds_low", "lds_high", "ceiling"]
        tables = {"lds": lds, "cost": pd.DataFrame(rows, columns=columns), **further}
        tables["timing"] = pd.DataFrame({"stage": "scores", "method": METHODS, "peak_mb": [900.0, 100.0, 50.0]})
        for file, table in tables.items():
            table.to_csv(folder / f"{file}.csv", index=False)
        (folder / "provenance.json").write_text(json.dumps({"tier": "demo"}))
        return folder

    return publish


@pytest.fixture
def classifier(publish):
    lds = lds_rows("test", math.nan, (0.5, 0.3, 0.0))
    fixed = lds_rows("test", math.nan, (0.9, 0.2, 0.0)).assign(dropped=0.05)
    rows = [("trak", "top", 50, 0.05, -2.0), ("theirs", "top", 50, 0.05, -1.5), ("random", "random", 50, 0.05, -0.2),
            ("trak", "top", 10, 0.01, -1.0)]  # fmt: skip
    removal = pd.DataFrame(rows, columns=["method", "side", "k", "fraction", "change"]).assign(timestep=math.nan)
    return publish("classifier", lds, lds_fixed=fixed, removal=removal)


@pytest.fixture
def journey(publish):
    whole, *steps = (lds_rows("generated", step, (0.4, 0.2, 0.0)) for step in (math.nan, 300.0, 700.0))
    return publish("journey", pd.concat([whole, *steps]))


def test_a_row_of_each_method_and_group(classifier, journey):
    table = leaderboard([classifier, journey])
    assert list(table) == COLUMNS
    ordinary = table[table["dropped"].isna()]
    counts = ordinary.groupby(["experiment", "targets"]).size()
    assert counts.to_dict() == {
        ("classifier", "test"): 3, ("journey", "generated"): 9, ("journey", "all steps"): 3
    }  # fmt: skip


def test_scores_of_a_user_are_beside_ours(classifier):
    table = leaderboard([classifier])
    row = table[(table["method"] == "theirs") & table["dropped"].isna()].iloc[0]
    found = row[["lds", "over_ceiling", "removal", "removal_random", "cpu_seconds", "models", "peak_mb"]].tolist()
    assert found == pytest.approx([0.3, 0.375, -1.5, -0.2, 15.0, 2, 100.0])


def test_removals_of_other_seeds_say_nothing_of_a_fixed_one(classifier):
    table = leaderboard([classifier])
    fixed = table[table["dropped"] == 0.05].set_index("method")
    assert fixed["lds"].tolist() == [0.9, 0.2, 0.0]
    assert fixed["removal"].isna().all()


def test_removals_at_a_fixed_seed_stand_beside_their_own_share(classifier):
    table = pd.read_csv(classifier / "removal.csv")
    table.assign(change=2 * table["change"]).to_csv(classifier / "removal_fixed.csv", index=False)
    table = leaderboard([classifier])
    fixed = table[table["dropped"] == 0.05].set_index("method")
    assert fixed["removal"].tolist() == pytest.approx([-4.0, -3.0, math.nan], nan_ok=True)
    assert fixed["removal_random"].tolist() == pytest.approx([-0.4, -0.4, math.nan], nan_ok=True)
    ordinary = table[table["dropped"].isna()].set_index("method")
    assert ordinary["removal"].tolist() == pytest.approx([-2.0, -1.5, math.nan], nan_ok=True)


def test_a_table_that_is_missing_is_named(classifier):
    (classifier / "cost.csv").unlink()
    with pytest.raises(UserError, match=r"found no cost.csv; .* NAME_publish"):
        leaderboard([classifier])


def test_the_figure_has_a_panel_an_experiment_with_every_method(classifier, journey):
    figure = draw(leaderboard([classifier, journey]))
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == ["classifier (demo, test examples)", "journey (demo, all steps)"]
    for axes in panels:
        assert {"TRAK", "theirs", "Random", "Noise ceiling"} <= set(axes.get_legend_handles_labels()[1])
