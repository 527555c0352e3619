"""Tests of removal retraining on margins small enough to follow by hand, and by simulation."""

import numpy as np
import pandas as pd
import pytest

from trakway.errors import UserError
from trakway.storage import files
from trakway.validation import removal

COLUMNS = ["method", "side", "k", "fraction", "target"]


def by_hand():
    """Three targets of four (1, 2, 3), the second wrong before; two seeds; one method at two k; two random repeats."""
    reference = np.array([[9.0, 1.0, -2.0, 3.0], [9.0, 3.0, 0.0, 5.0]])  # means 2, -1, 4
    rows, outputs = [], []

    def add(method, side, k, target, first, second):
        rows.append((method, side, k, k / 100, target))
        outputs.extend([first, second])

    far = 77.0  # a row that removes for one target says nothing of the others
    add("trak", "top", 5, 1, [far, 1.0, far, far], [far, 2.0, far, far])  # 1.5: holds
    add("trak", "top", 5, 2, [far, far, 4.0, far], [far, far, 4.0, far])  # 4: right now, no flip of a right one
    add("trak", "top", 5, 3, [far, far, far, -2.0], [far, far, far, 1.0])  # -0.5: flips
    add("trak", "top", 10, 3, [far, far, far, 0.0], [far, far, far, 0.0])  # 0: no longer right
    add("trak", "top", 10, 1, [far, -1.0, far, far], [far, -1.0, far, far])  # -1: flips
    add("trak", "top", 10, 2, [far, far, 1.0, far], [far, far, 1.0, far])
    add("random", "top", 5, -1, [far, 2.0, -1.0, 4.0], [far, 2.0, -1.0, 4.0])
    add("random", "top", 5, -1, [far, -2.0, -1.0, 4.0], [far, 0.0, -1.0, 4.0])  # flips target 1
    return reference, np.array(outputs), pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture
def tables():
    return removal.evaluate(*by_hand(), seed=0, resamples=500)


def at(table, method, k):
    return table[(table["method"] == method) & (table["k"] == k)].iloc[0]


class TestByHand:
    def test_change_is_over_all_targets(self, tables):
        before = (2 - 1 + 4) / 3
        assert at(tables.removal, "trak", 5)["change"] == pytest.approx((1.5 + 4 - 0.5) / 3 - before)
        assert at(tables.removal, "trak", 10)["change"] == pytest.approx((-1 + 1 + 0) / 3 - before)
        assert at(tables.removal, "random", 5)["change"] == pytest.approx((0.5 - 1 + 4) / 3 - before)

    def test_every_two_kinds_of_one_number_are_compared(self, tables):
        assert list(tables.pairs) == removal.PAIRS
        assert tables.pairs[["method", "against", "k"]].values.tolist() == [["trak", "random", 5]]
        pair = tables.pairs.iloc[0]
        assert pair["difference"] == pytest.approx((1.5 + 4 - 0.5) / 3 - (0.5 - 1 + 4) / 3)
        assert pair["difference_low"] < pair["difference"] < pair["difference_high"]

    def test_the_interval_of_a_difference_knows_that_the_targets_are_the_same(self):
        """Two methods that differ by one number at every target, and by far less than targets do."""
        rng = np.random.default_rng(0)
        spread = 10 * rng.standard_normal(12)
        rows = [(method, "top", 5, 0.05, target) for method in ("one", "other") for target in range(12)]
        outputs = np.concatenate([np.diag(spread), np.diag(spread - 0.5)])
        found = removal.evaluate(
            rng.standard_normal((3, 12)), outputs, pd.DataFrame(rows, columns=COLUMNS), seed=0, resamples=200
        )
        pair = found.pairs.iloc[0]
        assert pair[["difference", "difference_low", "difference_high"]].tolist() == pytest.approx([0.5] * 3)
        assert found.removal["change_high"][0] - found.removal["change_low"][0] > 5

    def test_flips_are_of_targets_that_were_right(self, tables):
        assert at(tables.removal, "trak", 5)["flipped"] == pytest.approx(1 / 2)
        assert at(tables.removal, "trak", 10)["flipped"] == 1
        assert at(tables.removal, "random", 5)["flipped"] == pytest.approx((0 + 1 / 2) / 2)

    def test_numbers_are_stated(self, tables):
        row = at(tables.removal, "random", 5)
        assert (row["targets"], row["targets_change"], row["seeds"], row["repeats"]) == (2, 3, 2, 2)
        assert at(tables.removal, "trak", 5)["repeats"] == 1
        assert row["fraction"] == 0.05

    def test_interval_of_a_share_stays_open_where_all_flip(self, tables):
        row = at(tables.removal, "trak", 10)
        assert row["flipped_high"] == 1
        assert row["flipped_low"] == pytest.approx(0.025**0.5)

    def test_brittleness(self, tables):
        table = tables.brittleness.set_index(["method", "target"])["k"]
        assert table["trak", 1] == 10
        assert table["trak", 3] == 5
        assert table["random", 1] == 5  # one of two repeats
        assert table.isna()["random", 3]
        assert ("trak", 2) not in table.index

    def test_empty_cells_in_the_file(self, tables, tmp_path):
        files.write_table(tmp_path / "brittleness.csv", tables.brittleness)
        lines = (tmp_path / "brittleness.csv").read_text().splitlines()
        assert lines[0] == "method,target,k"
        assert "trak,1,10" in lines
        assert "random,3," in lines

    def test_columns(self, tables):
        assert list(tables.removal.columns) == removal.COLUMNS
        assert len(tables.removal) == 3

    def test_ratio(self):
        result = removal.flip_ratio(*by_hand(), "trak", 5, seed=0, resamples=500)
        assert (result.ratio, result.flipped, result.control, result.targets) == (2, 0.5, 0.25, 2)
        assert result.low <= 2 <= result.high

    def test_ratio_of_what_was_not_tried(self):
        with pytest.raises(UserError, match=r"'trak', side 'top', k = 7.*There is: \[\('random', 'top', 5\)"):
            removal.flip_ratio(*by_hand(), "trak", 7, seed=0)
        with pytest.raises(UserError, match="side 'bottom'"):
            removal.flip_ratio(*by_hand(), "trak", 5, seed=0, side="bottom")

    def test_ratio_against_none(self):
        reference, outputs, rows = by_hand()
        outputs[12:] = 1.0  # no random flip
        found = removal.flip_ratio(reference, outputs, rows, "trak", 5, seed=0)
        assert found.ratio == found.high == np.inf
        most = 1 - 0.025 ** (1 / found.targets)  # of the control, by the exact binomial bound
        assert 0 <= found.low <= found.flipped / most
        outputs[:] = 1.0
        assert removal.flip_ratio(reference, outputs, rows, "trak", 5, seed=0)[:3] == (1, 0, np.inf)

    def test_nothing_right_before(self):
        reference, outputs, rows = by_hand()
        table = removal.evaluate(-abs(reference), outputs, rows, seed=0, resamples=10)
        assert table.removal["flipped"].isna().all()
        assert (table.removal["targets"] == 0).all()
        assert table.brittleness.empty
        with pytest.raises(UserError, match="none of the 3 targets right"):
            removal.flip_ratio(-abs(reference), outputs, rows, "trak", 5, seed=0)

    def test_bottom_says_nothing_of_brittleness(self):
        reference, outputs, rows = by_hand()
        table = removal.evaluate(reference, outputs, rows.assign(side="bottom"), seed=0, resamples=10)
        assert table.brittleness.empty
        assert len(table.removal) == 3

    def test_a_missing_target_is_an_error(self):
        reference, outputs, rows = by_hand()
        with pytest.raises(ValueError, match=r"targets \[1, 3\] are not the 3 of the others"):
            removal.evaluate(reference, np.delete(outputs, [2, 3], axis=0), rows.drop(index=1), seed=0)

    def test_models_must_fit_rows(self):
        reference, outputs, rows = by_hand()
        with pytest.raises(ValueError, match="15 removal models"):
            removal.evaluate(reference, outputs[1:], rows, seed=0)

    def test_nan_is_named(self):
        reference, outputs, rows = by_hand()
        outputs[0, 1] = np.nan
        with pytest.raises(UserError, match="'trak', 'side': 'top', 'k': 5"):
            removal.evaluate(reference, outputs, rows, seed=0, resamples=10)
        with pytest.raises(UserError, match="reference models is not finite"):
            removal.evaluate(reference + np.inf, outputs, rows, seed=0, resamples=10)


def simulate(rng, targets=30, seeds=2, repeats=6, references=6, effect=2.0):
    """Margins with noise of every training shared by its targets; a method that lowers its target's by ``effect``."""
    base = rng.normal(1, 1.5, targets)

    def train(count, shift=0.0):
        return base + shift + rng.normal(0, 0.5, (count, 1)) + rng.normal(0, 1, (count, targets))

    lowered = -effect * rng.gamma(4, 1 / 4, targets)
    rows = [("trak", "top", 20, 0.02, target) for target in range(targets)]
    outputs = [train(seeds, lowered * (np.arange(targets) == target)) for target in range(targets)]
    rows += [("random", "top", 20, 0.02, -1)] * repeats
    outputs += [train(seeds, -0.1) for _ in range(repeats)]
    return train(references), np.concatenate(outputs), pd.DataFrame(rows, columns=COLUMNS)


def test_intervals_cover_the_truth():
    rng, worlds = np.random.default_rng(0), 60
    covered = np.zeros(2)
    for world in range(worlds):
        table = removal.evaluate(*simulate(rng), seed=world, resamples=200).removal
        covered += (table["change_low"] <= [-2, -0.1]) & (table["change_high"] >= [-2, -0.1])
    assert (covered >= 0.85 * worlds).all()


def test_order_of_rows_does_not_matter():
    reference, outputs, rows = simulate(np.random.default_rng(0))
    order = np.r_[np.random.default_rng(1).permutation(30), 30:36]
    shuffled = outputs.reshape(36, 2, -1)[order].reshape(72, -1)
    first = removal.evaluate(reference, outputs, rows, seed=0, resamples=50)
    second = removal.evaluate(reference, shuffled, rows.iloc[order], seed=0, resamples=50)
    pd.testing.assert_frame_equal(first.removal, second.removal)
    pd.testing.assert_frame_equal(first.brittleness, second.brittleness)


def test_random_is_judged_with_as_many_seeds_as_a_method():
    """A null method must flip as often as the control: were repeats pooled first, the control would flip less."""
    rng = np.random.default_rng(0)
    rates = [
        removal.evaluate(*simulate(rng, effect=0.1), seed=0, resamples=2).removal["flipped"].to_numpy()
        for _ in range(40)
    ]
    method, control = np.mean(rates, axis=0)
    assert method == pytest.approx(control, abs=0.03)
    assert control > 0.1


def test_ratio_interval_pairs_the_targets():
    result = removal.flip_ratio(*simulate(np.random.default_rng(0), effect=4), "trak", 20, seed=0)
    assert result.low < result.ratio < result.high
    assert result.low > 2


def test_control_alone_is_read_at_every_target():
    reference, outputs, rows = simulate(np.random.default_rng(0))
    table = removal.evaluate(reference, outputs[60:], rows[30:], seed=0, resamples=10).removal
    assert list(table["method"]) == ["random"]
    assert table.loc[0, "targets_change"] == 30


def test_ratios_of_all_methods():
    table = removal.flip_ratios(*by_hand(), seed=0, resamples=100)
    row = table.set_index(["method", "k"]).loc[("trak", 5)]
    one = removal.flip_ratio(*by_hand(), "trak", 5, seed=0, resamples=100)
    assert tuple(row) == one
    assert 10 not in set(table["k"])  # nothing was removed at random there
    reference, outputs, rows = by_hand()
    assert removal.flip_ratios(-abs(reference), outputs, rows, seed=0).empty


def test_ratios_are_of_top_removals_against_the_control_of_the_plan():
    """The control's side is called random, as in the plan; bottom removals and sizes without control stay out."""
    reference, outputs, rows = by_hand()
    rows.loc[rows["method"] == "random", "side"] = "random"
    below = rows[rows["method"] == "trak"].assign(side="bottom")
    rows, outputs = pd.concat([rows, below], ignore_index=True), np.concatenate([outputs, outputs[:12] - 5])
    table = removal.flip_ratios(reference, outputs, rows, seed=0, resamples=200)
    assert list(table.columns) == [
        "method", "k", "ratio", "ratio_low", "ratio_high", "flipped", "control", "targets"
    ]  # fmt: skip
    (row,) = table.to_dict("records")
    # One of two right targets flips; of two random repeats one flips one of the two.
    assert (row["method"], row["k"], row["targets"]) == ("trak", 5, 2)
    assert (row["flipped"], row["control"], row["ratio"]) == (0.5, 0.25, 2)
    assert row["ratio_low"] <= 2 <= row["ratio_high"]


def test_ratios_of_several_methods_keep_the_order_and_the_level():
    reference, outputs, rows = simulate(np.random.default_rng(0), effect=4)
    rows.loc[rows["target"] < 0, "side"] = "random"
    other = rows[:30].assign(method="pixel")
    rows, outputs = pd.concat([rows, other], ignore_index=True), np.concatenate([outputs, outputs[:60] + 3])
    wide, narrow = (
        removal.flip_ratios(reference, outputs, rows, seed=0, resamples=200, level=level) for level in (0.95, 0.5)
    )
    assert list(wide["method"]) == ["trak", "pixel"]
    assert wide.loc[0, "ratio"] > wide.loc[1, "ratio"]
    assert (wide["ratio_low"] <= narrow["ratio_low"]).all()
    assert (wide["ratio_high"] >= narrow["ratio_high"]).all()
    assert wide.loc[0, "ratio_low"] < narrow.loc[0, "ratio_low"]


def test_no_ratios_without_a_control():
    reference, outputs, rows = by_hand()
    assert removal.flip_ratios(reference, outputs[:12], rows[:6], seed=0, resamples=10).empty


def entries(count, steps=()):
    """The table of targets: of ``count`` samples with their steps, or of classification without any."""
    if not steps:
        whole = {"role": "evaluation", "kind": "test", "timestep": None, "patch": ""}
        return pd.DataFrame({"target": range(count), **whole})
    rows = [(one, "generated", step, "", "evaluation") for one in range(count) for step in (pd.NA, *steps)]
    rows += [(count, "test", pd.NA, "", "evaluation"), (count + 1, "generated", pd.NA, "", "tuning")]
    table = pd.DataFrame(rows, columns=["target", "kind", "timestep", "patch", "role"])
    return table.astype({"timestep": "Int64"})


def with_steps(rows, timestep=pd.NA):
    return rows.assign(timestep=pd.array([timestep] * len(rows), "Int64"))


class TestSteps:
    def test_whole_targets_are_as_ever(self):
        reference, outputs, rows = by_hand()
        found = removal.evaluate_steps(reference, outputs, with_steps(rows), entries(4), None, seed=0, resamples=50)
        once = removal.evaluate(reference, outputs, rows, seed=0, resamples=50)
        assert list(found) == ["removal", "removal_pairs", "brittleness", "flip_ratios"]
        assert found["removal"]["timestep"].isna().all()
        pd.testing.assert_frame_equal(found["removal"], once.removal)
        pd.testing.assert_frame_equal(found["brittleness"], once.brittleness)
        ratios = removal.flip_ratios(reference, outputs, rows, seed=0, resamples=50)
        pd.testing.assert_frame_equal(found["flip_ratios"], ratios)

    def journeys(self, seeds=2):
        """Two images, two steps. Minus the loss of image i at step t falls by a number of its own for every row."""
        rng = np.random.default_rng(0)
        rows = [("journey_trak", "top", 5, 0.05, target, t) for target in (0, 1) for t in (800, 200)]
        rows += [("trak", "top", 5, 0.05, target, pd.NA) for target in (1, 0)]
        rows += [("random", "random", 5, 0.05, -1, pd.NA)] * 3
        rows = pd.DataFrame(rows, columns=[*COLUMNS, "timestep"]).astype({"timestep": "Int64"})
        # Columns: whole, 800, 200 of image 0 and 1, and a real image.
        return -rng.uniform(1, 2, (4, 7)), -rng.uniform(2, 4, (len(rows) * seeds, 7)), rows

    def test_every_row_is_read_at_its_own_timestep(self):
        reference, outputs, rows = self.journeys()
        means = outputs.reshape(9, 2, 7).mean(axis=1)
        found = removal.evaluate_steps(
            reference, outputs, rows, entries(2, [800, 200]), [200, 800], seed=0, resamples=100
        )
        table = found["removal"].set_index(["timestep", "method"])
        assert list(found["removal"].columns) == removal.COLUMNS
        assert list(table.index) == [(t, m) for t in (200, 800) for m in ("journey_trak", "trak", "random")]
        for timestep, columns, own in ((800, [1, 4], [0, 2]), (200, [2, 5], [1, 3])):
            before = reference[:, columns].mean()
            expected = {"journey_trak": means[own, columns].mean(), "trak": means[[5, 4], columns].mean()}
            expected["random"] = means[6:, columns].mean()
            for method, after in expected.items():
                assert table.loc[(timestep, method), "change"] == pytest.approx(after - before)
        assert (table["targets_change"] == 2).all()
        assert (table["change_low"] <= table["change"]).all()
        assert (table["change"] <= table["change_high"]).all()

    def test_a_loss_does_not_flip(self, tmp_path):
        reference, outputs, rows = self.journeys()
        table = entries(2, [800, 200])
        found = removal.evaluate_steps(reference, outputs, rows, table, [200, 800], seed=0, resamples=10)
        assert found["removal"][["flipped", "flipped_low", "flipped_high"]].isna().all(axis=None)
        assert (found["removal"]["targets"] == 0).all()
        headers = {
            "brittleness": "method,target,k",
            "flip_ratios": "method,k,ratio,ratio_low,ratio_high,flipped,control",
        }
        for name, header in headers.items():
            files.write_table(tmp_path / f"{name}.csv", found[name])
            lines = (tmp_path / f"{name}.csv").read_text().splitlines()
            assert len(lines) == 1
            assert lines[0].startswith(header)

    def test_without_timesteps_the_whole_images_are_read(self):
        reference, outputs, rows = self.journeys()
        outputs, rows = outputs[8:], rows[4:].reset_index(drop=True)
        (found, *_) = removal.evaluate_steps(
            reference, outputs, rows, entries(2, [800, 200]), None, seed=0, resamples=10
        ).values()
        assert found.loc[0, "change"] == pytest.approx(
            outputs[[0, 1, 2, 3], [3, 3, 0, 0]].mean() - reference[:, [0, 3]].mean()
        )
        assert found["timestep"].isna().all()

    def test_a_timestep_without_entries(self):
        reference, outputs, rows = self.journeys()
        with pytest.raises(UserError, match=r"images \[\] at timestep 100"):
            removal.evaluate_steps(reference, outputs, rows, entries(2, [800, 200]), [100], seed=0)
