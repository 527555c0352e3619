"""Tests of the distribution shift against its definition, on nulls, and on shifts of known size."""

import numpy as np
import pandas as pd
import pytest

from trakway.errors import UserError
from trakway.metrics.frechet import coupled_distance, frechet_distance, kernel_distance
from trakway.storage import files
from trakway.validation import shift_fixed
from trakway.validation.completions import KEY, Completions
from trakway.validation.shift import COLUMNS, evaluate

STEPS = (800, 200)
ROWS = ["method", "side", "k", "fraction", "target", "timestep"]


def rows_of(targets, methods=("journey_trak", "trak"), repeats=3, ks=(5,), sides=("top",)):
    rows = [
        (method, side, k, k / 100, target, step)
        for method in methods
        for k in ks
        for side in sides
        for target in range(targets)
        for step in (STEPS if method.startswith("journey") else [pd.NA])
    ]
    rows += [("random", "random", k, k / 100, -1, pd.NA) for k in ks for _ in range(repeats)]
    return pd.DataFrame(rows, columns=ROWS).astype({"timestep": "Int64"})


def draw(rows, removal, shift=lambda *_: 0.0, completions=30, width=3, seed=0):
    """Completions of normal features, for every model and every step; ``shift`` of (method, target, timestep)."""
    rng = np.random.default_rng(seed)
    keys, values = [], []

    def add(method, *key):
        keys.append(key)
        values.append(rng.standard_normal((completions, width)) + shift(method, *key[2:4]))

    for target in range(removal["targets"]):
        for step in STEPS:
            add("original", "reference", 0, target, step, "original")
            for model in range(removal["reference"]):
                add("whole", "reference", model, target, step, "retrained")
    for row in rows.itertuples():
        for model in range(row.Index * removal["seeds"], (row.Index + 1) * removal["seeds"]):
            for target in range(removal["targets"]) if row.target < 0 else [row.target]:
                for step in STEPS:
                    read = pd.isna(row.timestep) or row.timestep == step
                    add(row.method if read else "never read", "removal", model, target, step, "retrained")
    return pd.DataFrame(keys, columns=KEY), np.array(values, np.float32)


def removal_of(targets=3, seeds=2, reference=4):
    return {"targets": targets, "seeds": seeds, "reference": reference, "timesteps": list(STEPS)}


def measure(rows, removal, drawn, resamples=200, **options):
    return both(rows, removal, drawn, resamples, **options)["shift"]


def both(rows, removal, drawn, resamples=200, **options):
    given = {"features": "classifier on digits", "seed": 0, "resamples": resamples} | options
    return evaluate(Completions([drawn]), rows, removal, **given)


def far(method, *_):
    """Put far away what must not be read."""
    return 1000.0 if method == "never read" else 0.0


class TestDefinition:
    @pytest.fixture
    def world(self):
        removal, rows = removal_of(), rows_of(3, ks=(5, 10))
        index, values = draw(rows, removal, far)
        return removal, rows, (index, values)

    @pytest.fixture
    def table(self, world):
        removal, rows, drawn = world
        return measure(rows, removal, drawn)

    def brute_force(self, world, distance, method, timestep, k):
        """Return the distances (repeats × targets) of one row of the table."""
        removal, rows, (index, values) = world
        found = {tuple(key): value for key, value in zip(index.itertuples(index=False, name=None), values, strict=True)}

        def one(ensemble, model, target):
            stream = "retrained" if distance is coupled_distance else "original"
            original = found["reference", 0, target, timestep, stream]
            return distance(found[ensemble, model, target, timestep, "retrained"], original)

        if k == 0:
            models = [0] if method == "same model" else [1, 2, 3]
            return np.array([[one("reference", model, target) for target in range(3)] for model in models])
        chosen = rows[(rows["method"] == method) & (rows["k"] == k)]
        if method == "journey_trak":
            chosen = chosen[chosen["timestep"] == timestep]
        repeats = [[row] * 3 for row in chosen.index] if method == "random" else [chosen.index]
        return np.array(
            [
                [(one("removal", 2 * r, i) + one("removal", 2 * r + 1, i)) / 2 for i, r in enumerate(row)]
                for row in repeats
            ]
        )

    @pytest.mark.parametrize(
        ("name", "distance"), [("fid", frechet_distance), ("kid", kernel_distance), ("moved", coupled_distance)]
    )
    def test_means_and_differences(self, world, table, name, distance):
        for row in table.to_dict("records"):
            values = self.brute_force(world, distance, row["method"], row["timestep"], row["k"])
            assert row[name] == pytest.approx(values.mean(), abs=1e-9)
            assert row["repeats"] == len(values)
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
            columns = [f"{name}_over_random{end}" for end in ("", "_low", "_high")]
            if row["method"] in ("journey_trak", "trak"):
                control = self.brute_force(world, distance, "random", row["timestep"], row["k"])
                assert row[columns[0]] == pytest.approx(values.mean() - control.mean(), abs=1e-9)
                assert row[columns[1]] <= row[columns[0]] <= row[columns[2]]
            else:
                assert np.isnan([row[column] for column in columns]).all()

    def test_rows_and_numbers(self, table):
        assert list(table.columns) == COLUMNS
        each = [("same model", 0), ("retrained", 0)]
        each += [(method, k) for method in ("journey_trak", "trak", "random") for k in (5, 10)]
        found = list(table[["timestep", "method", "k"]].itertuples(index=False, name=None))
        assert found == [(step, *one) for step in STEPS for one in each]
        assert (table["targets"] == 3).all()
        assert (table["completions"] == 30).all()
        assert set(table["features"]) == {"classifier on digits"}
        seeds = table.set_index("method")["seeds"]
        assert (seeds[["journey_trak", "trak", "random"]] == 2).all()
        assert (seeds[["same model", "retrained"]] == 1).all()

    def test_columns_of_the_file(self, table, tmp_path):
        files.write_table(tmp_path / "shift.csv", table)
        lines = (tmp_path / "shift.csv").read_text().splitlines()
        assert lines[0] == (
            "method,timestep,k,fid,fid_low,fid_high,fid_over_random,fid_over_random_low,fid_over_random_high,"
            "kid,kid_low,kid_high,kid_over_random,kid_over_random_low,kid_over_random_high,"
            "moved,moved_low,moved_high,moved_over_random,moved_over_random_low,moved_over_random_high,"
            "targets,seeds,repeats,completions,features"
        )
        assert ",,,," in lines[1]

    def test_order_of_rows_does_not_matter(self, world, table):
        removal, rows, (index, values) = world
        order = np.r_[np.random.default_rng(0).permutation(len(rows) - 6), len(rows) - 6 : len(rows)]
        moved = index["ensemble"] == "removal"
        place = np.argsort(order)[index["model"][moved] // 2] * 2 + index["model"][moved] % 2
        index = index.assign(model=index["model"].where(~moved, place.reindex(index.index)).astype(int))
        shuffled = measure(rows.iloc[order], removal, (index, values))
        keys = ["timestep", "method", "k"]
        pd.testing.assert_frame_equal(
            shuffled.sort_values(keys).reset_index(drop=True), table.sort_values(keys).reset_index(drop=True)
        )


@pytest.fixture(scope="module")
def null_tables():
    """Tables of 30 worlds whose models all draw from one distribution."""
    removal, rows = removal_of(targets=8, seeds=1, reference=3), rows_of(8, ["journey_trak"])
    return [
        measure(rows, removal, draw(rows, removal, seed=world), seed=world).set_index(["method", "timestep"])
        for world in range(30)
    ]


class TestNull:
    @pytest.mark.parametrize(
        ("method", "column"),
        [
            ("journey_trak", "fid_over_random"),  # random against random
            ("journey_trak", "kid_over_random"),
            ("same model", "kid"),
            ("retrained", "kid"),
            ("random", "kid"),
        ],
    )
    def test_intervals_cover_0(self, null_tables, method, column):
        rows = [table.loc[(method, step)] for table in null_tables for step in STEPS]
        covered = np.mean([row[f"{column}_low"] <= 0 <= row[f"{column}_high"] for row in rows])
        assert 0.8 <= covered < 1

    def test_the_frechet_distance_is_too_high_alike_for_all(self, null_tables):
        """Hence the comparison with the control, and with two draws of one model."""
        means = pd.concat(null_tables).groupby("method")["fid"].mean()
        assert means.min() > 0.1
        assert means.max() < 1.2 * means.min()


class TestKnownShift:
    def test_its_size_is_found_at_its_step_alone(self):
        """Features moved by (1, 1, 1) are at a squared Fréchet distance of 3."""

        def moved(method, _, timestep):
            return 1.0 if (method, timestep) == ("journey_trak", 200) else far(method)

        removal, rows = removal_of(targets=6, seeds=1), rows_of(6)
        table = measure(rows, removal, draw(rows, removal, moved, completions=200)).set_index(["method", "timestep"])
        row = table.loc[("journey_trak", 200)]
        assert row["fid_over_random"] == pytest.approx(3, abs=0.5)
        assert row["fid_over_random_low"] > 2
        assert row["fid"] == pytest.approx(3, abs=0.5)
        assert row["kid_low"] > 0.5
        assert row["kid_over_random_low"] > 0.5
        for other in (("journey_trak", 800), ("trak", 200), ("trak", 800)):
            assert abs(table.loc[other, "fid_over_random"]) < 0.1

    def test_differences_are_paired_by_target(self):
        """Targets that move far by any removal leave the difference to the control as narrow as ever."""
        spread = np.linspace(0, 4, 8)

        def moved(method, target, _):
            return 0.0 if method == "original" else spread[target] + (method == "trak") * 0.2

        removal, rows = removal_of(targets=8, seeds=1), rows_of(8, ["trak"], repeats=6)
        table = measure(rows, removal, draw(rows, removal, moved, completions=300))
        row = table[table["method"] == "trak"].iloc[0]
        width, paired = (row[f"{one}_high"] - row[f"{one}_low"] for one in ("fid", "fid_over_random"))
        assert paired < width / 5
        assert row["fid_over_random_low"] > 0

    def test_models_of_the_whole_set_differ_from_one_model(self):
        def moved(method, *_):
            return 0.0 if method == "original" else 0.5

        removal, rows = removal_of(), rows_of(3)
        index, values = draw(rows, removal, moved, completions=200)
        one = (index["ensemble"] == "reference") & (index["model"] == 0) & (index["stream"] == "retrained")
        values[one] -= 0.5
        table = measure(rows, removal, (index, values)).set_index(["method", "timestep"])
        for step in STEPS:
            assert table.loc[("same model", step), "fid"] < 0.2
            assert table.loc[("retrained", step), "fid"] == pytest.approx(0.75, abs=0.2)


class TestWhatIsMissing:
    def test_bottom_removals_are_left_out(self):
        """Their completions are not even looked for."""
        removal, rows = removal_of(), rows_of(3, ["trak"], sides=("top", "bottom"))
        index, values = draw(rows, removal)
        bottom = rows.index[rows["side"] == "bottom"]
        keep = ~((index["ensemble"] == "removal") & (index["model"] // 2).isin(bottom))
        table = measure(rows, removal, (index[keep], values[keep]))
        assert table["method"].tolist() == ["same model", "retrained", "trak", "random"] * 2

    def test_no_control_of_that_size(self):
        removal = removal_of()
        rows = pd.concat([rows_of(3, ["trak"], ks=(5, 10)).query("target >= 0"), rows_of(0)], ignore_index=True)
        table = measure(rows, removal, draw(rows, removal)).set_index(["method", "k"])
        over = [column for column in COLUMNS if "over_random" in column]
        assert table.loc[[("trak", 10)], over].isna().all(axis=None)
        assert table.loc[[("trak", 5)], over].notna().all(axis=None)

    def test_one_reference_model(self):
        removal, rows = removal_of(reference=1), rows_of(3, ["trak"])
        table = measure(rows, removal, draw(rows, removal))
        assert table["method"].tolist() == ["same model", "trak", "random"] * 2

    def test_no_removal_at_all(self):
        removal, rows = removal_of(), rows_of(0, repeats=0)
        table = measure(rows, removal, draw(rows, removal))
        assert table["method"].tolist() == ["same model", "retrained"] * 2

    def test_no_timesteps(self):
        removal, rows = removal_of() | {"timesteps": None}, rows_of(3)
        table = measure(rows, removal, draw(rows, removal))
        assert table.empty
        assert list(table.columns) == COLUMNS

    def test_completions_of_a_model(self):
        removal, rows = removal_of(), rows_of(3)
        index, values = draw(rows, removal)
        gone = (index["ensemble"] == "removal") & (index["model"] == 3) & (index["timestep"] == 200)
        with pytest.raises(UserError, match="removal model 3 for image 0, timestep 200"):
            measure(rows, removal, (index[~gone], values[~gone]))


def test_every_two_methods_are_compared():
    """Of a method that moves completions of one step, the difference is there and nowhere else."""
    removal, rows = removal_of(), rows_of(3)
    moved = draw(rows, removal, lambda method, _, step: 2.0 if (method, step) == ("journey_trak", 800) else 0.0)
    found = both(rows, removal, moved)
    pairs = found["shift_pairs"].set_index(["timestep", "method", "against"])
    assert sorted(pairs.index.droplevel(0).unique()) == [
        ("journey_trak", "random"), ("journey_trak", "trak"), ("trak", "random"),
    ]  # fmt: skip
    table = found["shift"].set_index(["timestep", "method"])
    for step in STEPS:
        row, ours, theirs = (
            pairs.loc[(step, "journey_trak", "trak")],
            *(table.loc[(step, m)] for m in ("journey_trak", "trak")),
        )
        for name in ("fid", "kid"):
            assert row[name] == pytest.approx(ours[name] - theirs[name])
            assert (row[f"{name}_low"] > 1) == (step == 800)


def test_of_several_differentiated_runs_the_first_is_looked_at():
    removal, rows = removal_of(seeds=2, reference=2), rows_of(3)
    index, features = draw(rows, removal)
    given = {"dataset": "digits", "classifier": "cnn", "seed": 0, "resamples": 20, "level": 0.95, "rows": rows}
    settings = removal | {"fixed": 2, "seeds": 7, "reference": 9}
    named = index.assign(ensemble=index["ensemble"] + "_fixed")
    found = shift_fixed.make({"all": named}, {"all": features}, removal=settings, **given)
    first = (index["model"] % 2 == 0).to_numpy()
    kept = index[first].assign(model=index["model"][first] // 2)
    expected = both(
        rows, removal | {"seeds": 1, "reference": 1}, (kept, features[first]), 20, features="classifier on digits: cnn"
    )
    for name, other in zip(found.values(), expected.values(), strict=True):
        pd.testing.assert_frame_equal(name, other)
