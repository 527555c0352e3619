"""Tests of the emergence of a class along a trajectory, on probabilities set by hand and by simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.errors import UserError
from trakway.storage import files
from trakway.validation.completions import KEY, Completions
from trakway.validation.emergence import COLUMNS, emergence_window, evaluate, nearest_timestep

STEPS = [200, 800, 500]  # in no order
REMOVAL = {"targets": 2, "seeds": 2, "timesteps": [200, 800]}
NAMES = ["zero", "one", "two"]
FINAL = np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.0, 1.0, 0.0]])  # classes 2 and 0, and of an image left alone
ROWS = ["method", "side", "k", "target", "timestep"]


class TestWindow:
    def test_by_hand(self):
        assert emergence_window([200, 800, 500], [0.9, 0.1, 0.3]) == (500, 200)
        assert emergence_window([200, 800, 500], [0.9, 0.1, 0.8]) == (800, 500)
        assert emergence_window([100, 200, 300, 400], [0.5, 0.5, 0.25, 0.0]) == (
            400,
            300,
        )  # of equal rises the earliest
        assert emergence_window([100, 200, 300], [0.1, 0.2, 0.9]) == (200, 100)  # falls least
        assert emergence_window([500], [0.3]) == (500, 500)

    @given(st.dictionaries(st.integers(1, 999), st.floats(0, 1), min_size=2, max_size=8), st.randoms())
    def test_is_the_steepest_of_neighbours_in_any_order(self, curve, random):
        steps = list(curve)
        random.shuffle(steps)
        high, low = emergence_window(steps, [curve[step] for step in steps])
        ordered = sorted(curve)
        assert ordered.index(high) == ordered.index(low) + 1
        rises = [curve[a] - curve[b] for a, b in zip(ordered, ordered[1:], strict=False)]
        assert curve[low] - curve[high] == max(rises)

    def test_nearest(self):
        assert nearest_timestep([200, 800], (800, 500)) == 800
        assert nearest_timestep([200, 800], (500, 200)) == 200
        assert nearest_timestep([200, 800], (600, 400)) == 800  # as near: the higher
        assert nearest_timestep([800, 200], (600, 400)) == 800
        assert nearest_timestep([300, 301], (301, 300)) == 301


def rows_of(repeats=3, ks=(10, 5), methods=("journey_trak", "trak"), sides=("top", "bottom"), targets=2):
    rows = [
        (method, side, k, target, step)
        for method in methods
        for k in ks
        for side in sides
        for target in range(targets)
        for step in (REMOVAL["timesteps"] if method == "journey_trak" else [pd.NA])
    ]
    rows += [("random", "random", k, -1, pd.NA) for k in ks for _ in range(repeats)]
    return pd.DataFrame(rows, columns=ROWS).astype({"timestep": "Int64"})


def draw(rows, probability, completions=20, noise=0.0, seed=0, targets=2):
    """Probabilities of each target's class in all completions; ``probability`` of (row or None, target, timestep)."""
    rng = np.random.default_rng(seed)
    shared = noise * rng.standard_normal((targets, len(STEPS), completions))  # the same noise for every model
    keys, values = [], []

    def add(row, *key):
        target, step = key[2:4]
        own = probability(row, target, step) + shared[target, STEPS.index(step)]
        own = np.clip(own + noise * rng.standard_normal(), 0, 1)
        rest = np.tile((1 - own)[:, None] / 2, 3)
        rest[:, np.argmax(FINAL[target % 3])] = own
        keys.append(key)
        values.append(rest)

    for target in range(targets):
        for step in STEPS:
            add(None, "reference", 0, target, step, "original")
    for row in rows.itertuples():
        for model in (2 * row.Index, 2 * row.Index + 1):
            for target in range(targets) if row.target < 0 else [row.target]:
                for step in STEPS:
                    add(row, "removal", model, target, step, "retrained")
    return pd.DataFrame(keys, columns=KEY), np.array(values, np.float32)


def measure(rows, drawn, removal=REMOVAL, final=FINAL, **options):
    given = {"seed": 0, "resamples": 300} | options
    return evaluate(Completions([drawn]), rows, removal, STEPS, final, NAMES, **given)


# The class of target 0 emerges between 800 and 500 (step 800 of the removal is nearest), that of target 1 between 500
# and 200 (step 200).
CURVES = [{800: 0.25, 500: 0.75, 200: 1.0}, {800: 0.125, 500: 0.25, 200: 0.75}]


def by_hand(row, target, step):
    """Removal at the emergence step of a target, of the largest k, takes a quarter; all other top removals all."""
    whole = CURVES[target][step]
    if row is None:
        return whole
    if row.method == "random":
        return whole - 0.0625 if row.k == 10 else 0.0
    lowers = row.method == "journey_trak" and row.side == "top" and row.k == 10 and row.timestep == (800, 200)[target]
    return whole * 0.75 if lowers else 0.0


class TestByHand:
    @pytest.fixture
    def table(self):
        rows = rows_of()
        return measure(rows, draw(rows, by_hand))

    def test_curves(self, table):
        found = table.set_index(["target", "group", "timestep"])["probability"]
        for target, curve in enumerate(CURVES):
            for step, whole in curve.items():
                assert found[target, "original", step] == pytest.approx(whole)
                assert found[target, "removed", step] == pytest.approx(whole * 0.75)
                assert found[target, "random", step] == pytest.approx(whole - 0.0625)
        for step in STEPS:
            mean = (CURVES[0][step] + CURVES[1][step]) / 2
            assert found[-1, "original", step] == pytest.approx(mean)
            assert found[-1, "removed", step] == pytest.approx(mean * 0.75)
            assert found[-1, "random", step] == pytest.approx(mean - 0.0625)

    def test_rows(self, table):
        assert list(table.columns) == COLUMNS
        expected = [(t, g, s) for t in (0, 1, -1) for g in ("original", "removed", "random") for s in (800, 500, 200)]
        assert list(table[["target", "group", "timestep"]].itertuples(index=False, name=None)) == expected
        labels = table.set_index("target")["label"]
        assert set(labels[0]) == {"two"}
        assert set(labels[1]) == {"zero"}
        assert labels[-1].isna().all()
        steps = table.set_index("target")["emergence_timestep"]
        assert set(steps[0]) == {800}
        assert set(steps[1]) == {200}
        assert steps[-1].isna().all()
        kinds = table.drop_duplicates("group").set_index("group")
        assert kinds["k"].to_dict() == {"original": 0, "removed": 10, "random": 10}
        assert kinds.loc["removed", "method"] == "journey_trak"
        assert kinds.loc["random", "method"] == "random"
        assert pd.isna(kinds.loc["original", "method"])

    def test_without_noise_intervals_of_a_target_have_no_width(self, table):
        one = table[table["target"] >= 0]
        np.testing.assert_allclose(one["probability_low"], one["probability"])
        np.testing.assert_allclose(one["probability_high"], one["probability"])

    def test_the_interval_of_the_mean_is_over_targets(self, table):
        row = table.set_index(["target", "group", "timestep"]).loc[(-1, "original", 500)]
        assert (row["probability_low"], row["probability_high"]) == pytest.approx((0.25, 0.75))

    def test_the_file(self, table, tmp_path):
        files.write_table(tmp_path / "emergence.csv", table)
        lines = (tmp_path / "emergence.csv").read_text().splitlines()
        assert lines[0] == (
            "target,label,emergence_timestep,timestep,group,method,k,probability,probability_low,probability_high"
        )
        assert lines[1].startswith("0,two,800,800,original,,0,0.25,")
        assert lines[-1].startswith("-1,,,200,random,random,10,")


class TestIntervals:
    def test_are_over_completions_and_models(self):
        """As a plain bootstrap over both has them; of the control the repeats are drawn, not their seeds."""
        rows = rows_of(ks=(10,), sides=("top",), repeats=4)
        index, values = draw(rows, by_hand, noise=0.1, completions=40)
        table = measure(rows, (index, values), resamples=4000).set_index(["target", "group", "timestep"])
        assert tuple(rows.loc[1, ["target", "timestep"]]) == (0, 800)
        rng = np.random.default_rng(1)
        models = index["model"] // 2
        for group, chosen in (("original", None), ("removed", [1]), ("random", rows.index[-4:])):
            if chosen is None:
                found = [
                    values[(index["ensemble"] == "reference") & (index["target"] == 0) & (index["timestep"] == 500)]
                ]
            else:
                here = (index["ensemble"] == "removal") & (index["target"] == 0) & (index["timestep"] == 500)
                found = [values[here & (models == row)] for row in chosen]
            found = np.array(found)[..., 2]  # (rows × seeds × completions)
            units = found.mean(axis=1) if len(found) > 1 else found[0]
            drawn = [
                units[np.ix_(rng.integers(0, len(units), len(units)), rng.integers(0, 40, 40))].mean()
                for _ in range(4000)
            ]
            row = table.loc[(0, group, 500)]
            assert row["probability"] == pytest.approx(found.mean())
            bounds = np.quantile(drawn, [0.025, 0.975])
            width = bounds[1] - bounds[0]
            assert width > 0.01
            np.testing.assert_allclose([row["probability_low"], row["probability_high"]], bounds, atol=0.1 * width)

    def test_the_mean_draws_the_repeats_of_the_control_besides(self):
        """They serve all targets; the models of a method have one target each, and are drawn with it."""

        def alike(row, *_):
            return 0.5 if row is None or row.method != "random" else 0.5 + (row.Index - len(rows) + 2) / 10

        rows = rows_of(ks=(10,), sides=("top",))
        table = measure(rows, draw(rows, alike)).query("target == -1").drop_duplicates("group").set_index("group")
        assert table.loc["random", ["probability_low", "probability_high"]].tolist() == pytest.approx([0.4, 0.6])
        for group in ("original", "removed"):
            assert table.loc[group, ["probability_low", "probability_high"]].tolist() == pytest.approx([0.5, 0.5])

    def test_random_against_random(self):
        """A method that removes nothing of importance: the mean over targets of both groups covers the truth."""
        rows, worlds = rows_of(ks=(10,), sides=("top",), methods=["journey_trak"], targets=6), 30
        removal = REMOVAL | {"targets": 6}
        final = np.tile(FINAL, (2, 1))
        covered = np.zeros(3)
        for world in range(worlds):
            rng = np.random.default_rng(world)
            curves = np.clip(rng.normal(0.5, 0.05, 6), 0, 1)
            drawn = draw(rows, lambda _, target, __, c=curves: c[target], noise=0.03, seed=world, targets=6)
            table = measure(rows, drawn, removal, final, seed=world)
            table = table[(table["target"] == -1) & (table["timestep"] == 500)]
            covered += ((table["probability_low"] <= 0.5) & (table["probability_high"] >= 0.5)).to_numpy()
        assert (covered >= 0.8 * worlds).all()
        assert covered.sum() < 3 * worlds


class TestWhatIsMissing:
    def test_no_control_of_that_size(self):
        rows = rows_of().query("not (method == 'random' and k == 10)").reset_index(drop=True)
        table = measure(rows, draw(rows, by_hand))
        assert table["group"].unique().tolist() == ["original", "removed"]
        assert table["k"].unique().tolist() == [0, 10]

    def test_the_method_was_not_tried(self):
        rows = rows_of(methods=["trak"])
        table = measure(rows, draw(rows, by_hand))
        assert table["group"].unique().tolist() == ["original", "random"]
        assert table["k"].unique().tolist() == [0, 10]

    def test_another_method_may_be_looked_at(self):
        rows = rows_of()
        table = measure(rows, draw(rows, by_hand), method="trak")
        removed = table[table["group"] == "removed"]
        assert set(removed["method"]) == {"trak"}
        assert (removed["probability"] == 0).all()

    def test_no_removal_at_all(self):
        rows = rows_of(repeats=0, methods=[])
        table = measure(rows, draw(rows, by_hand))
        assert table["group"].unique().tolist() == ["original"]

    def test_no_timesteps(self):
        rows = rows_of()
        table = measure(rows, draw(rows, by_hand), removal=REMOVAL | {"timesteps": None})
        assert table.empty
        assert list(table.columns) == COLUMNS

    def test_completions_of_a_step(self):
        rows = rows_of()
        index, values = draw(rows, by_hand)
        keep = index["timestep"] != 500
        with pytest.raises(UserError, match="reference model 0 for image 0, timestep 500, stream 'original'"):
            measure(rows, (index[keep], values[keep]))
