"""Tests of the linear datamodeling score against scipy, one target at a time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import spearmanr

from trakway.errors import UserError
from trakway.metrics import intervals, lds
from trakway.plan import steps_only
from trakway.storage import files
from trakway.targets.table import groups

JOURNEY = steps_only({"task": "image_diffusion"})


def rng(seed=0):
    return np.random.default_rng(seed)


def integer_pairs(low=-4, high=4):
    """Two tables of small whole numbers (many ties), subsets × targets."""
    shapes = st.tuples(st.integers(2, 12), st.integers(1, 4))
    values = st.integers(low, high).map(float)
    return shapes.flatmap(lambda shape: st.tuples(*(hnp.arrays(np.float64, shape, elements=values),) * 2))


def brute_spearman(first, second):
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return spearmanr(first, second).statistic


class TestPredicted:
    def test_sums_the_scores_of_each_subset(self):
        scores, masks = rng().standard_normal((7, 50)).astype(np.float32), rng(1).random((5, 50)) < 0.5
        expected = [[scores[t, masks[j]].astype(np.float64).sum() for t in range(7)] for j in range(5)]
        np.testing.assert_allclose(lds.predicted(scores, masks), expected, rtol=1e-12)

    @pytest.mark.parametrize("block", [1, 1000, 1024, 2500, 10**6])
    def test_block_changes_no_bit(self, block):
        scores, masks = rng().standard_normal((600, 5000)).astype(np.float32), rng(1).random((9, 5000)) < 0.5
        np.testing.assert_array_equal(lds.predicted(scores, masks, block), lds.predicted(scores, masks))

    def test_reads_a_memory_map(self, tmp_path):
        scores, masks = rng().standard_normal((3, 3000)).astype(np.float32), rng(1).random((4, 3000)) < 0.5
        files.write_array(tmp_path / "scores.npy", scores)
        mapped = files.read_array(tmp_path / "scores.npy")
        np.testing.assert_array_equal(lds.predicted(mapped, masks, 1024), lds.predicted(scores, masks))

    def test_equal_scores_predict_the_same_for_equal_sizes(self):
        masks = np.stack([rng(j).permutation(4000) < 2000 for j in range(6)])
        assert np.ptp(lds.predicted(np.full((1, 4000), 0.1, np.float32), masks)) == 0

    def test_memory_stays_bounded(self):
        import tracemalloc

        scores, masks = np.ones((2000, 20_000), np.float32), np.ones((4, 20_000), bool)
        tracemalloc.start()
        lds.predicted(scores, masks, 1024)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20e6 < scores.nbytes

    def test_sizes_must_agree(self):
        with pytest.raises(ValueError, match="10 training examples, masks of 11"):
            lds.predicted(np.zeros((2, 10)), np.zeros((2, 11), bool))


class TestPerTarget:
    @settings(deadline=None)
    @given(integer_pairs())
    def test_agrees_with_scipy_ties_and_constants_included(self, pair):
        expected = [brute_spearman(*columns) for columns in zip(pair[0].T, pair[1].T, strict=True)]
        np.testing.assert_allclose(lds.lds_per_target(*pair), expected, atol=1e-12)

    @settings(deadline=None)
    @given(integer_pairs(), st.randoms(use_true_random=False))
    def test_order_of_subsets_does_not_matter(self, pair, random):
        order = random.sample(range(len(pair[0])), len(pair[0]))
        shuffled = lds.lds_per_target(pair[0][order], pair[1][order])
        np.testing.assert_allclose(shuffled, lds.lds_per_target(*pair), atol=1e-12)

    @settings(deadline=None)
    @given(integer_pairs())
    def test_only_the_order_of_predictions_matters(self, pair):
        np.testing.assert_array_equal(lds.lds_per_target(np.exp(pair[0]), pair[1]), lds.lds_per_target(*pair))

    @settings(deadline=None)
    @given(integer_pairs())
    def test_sign_flip_negates(self, pair):
        np.testing.assert_allclose(lds.lds_per_target(-pair[0], pair[1]), -lds.lds_per_target(*pair), atol=1e-12)


def simulate(reliabilities, subsets, seeds, generator):
    """Normal outputs whose single retrainings correlate as given; and the expected outputs."""
    r = np.asarray(reliabilities)
    expected = generator.standard_normal((subsets, len(r)))
    noise = generator.standard_normal((subsets, seeds, len(r)))
    return np.sqrt(r) * expected[:, None] + np.sqrt(1 - r) * noise, expected


class TestCeiling:
    def test_reliability_is_the_mean_over_pairs(self):
        outputs = rng().integers(0, 5, (15, 4, 6)).astype(float)
        outputs[:, 2, 3] = 1.0
        for target, value in enumerate(lds.reliability(outputs)):
            pairs = [brute_spearman(outputs[:, a, target], outputs[:, b, target]) for a in range(4) for b in range(a)]
            assert value == pytest.approx(np.mean(pairs), abs=1e-12)

    @pytest.mark.parametrize("seeds", [2, 3, 5])
    @pytest.mark.parametrize(
        "draw_r",
        [
            lambda n: np.full(n, 0.1),
            lambda n: np.full(n, 0.6),
            lambda n: np.linspace(0.0, 0.8, n),
            lambda n: np.repeat([0.1, 0.7], n // 2),
        ],
        ids=["low", "high", "spread", "two kinds"],
    )
    def test_is_what_a_perfect_predictor_reaches(self, seeds, draw_r):
        generator, reached, ceilings = rng(3), [], []
        for _ in range(12):
            outputs, expected = simulate(draw_r(100), 60, seeds, generator)
            reached.append(lds.lds_per_target(expected, outputs.mean(axis=1)).mean())
            ceilings.append(lds.noise_ceiling(outputs))
        assert np.mean(ceilings) == pytest.approx(np.mean(reached), abs=0.025)

    def test_correcting_the_mean_would_overstate_it(self):
        outputs, _ = simulate(np.repeat([0.1, 0.7], 100), 60, 3, rng())
        mean = lds.reliability(outputs).mean()
        assert np.sqrt(3 * mean / (1 + 2 * mean)) > lds.noise_ceiling(outputs) + 0.07

    def test_pure_noise_has_next_to_none(self):
        assert lds.noise_ceiling(rng().standard_normal((60, 3, 200))) < 0.2

    def test_no_noise_is_one(self):
        assert lds.noise_ceiling(np.repeat(rng().standard_normal((20, 1, 5)), 3, axis=1)) == pytest.approx(1)

    def test_one_seed_tells_nothing(self):
        assert np.isnan(lds.noise_ceiling(rng().standard_normal((20, 1, 5))))

    def test_constant_outputs_have_none(self):
        assert lds.noise_ceiling(np.ones((20, 2, 5))) == 0


def examples(count, first=0):
    """A table of targets of a classification experiment."""
    whole = {"role": "evaluation", "kind": "test", "timestep": None, "patch": ""}
    return pd.DataFrame({"target": np.arange(first, first + count), **whole})


TARGETS = examples(20, first=100)


@pytest.fixture(scope="module")
def tables():
    outputs, expected = simulate(np.linspace(0.2, 0.9, 20), 40, 3, rng())
    noise = rng(1).standard_normal(expected.shape)
    predictions = {"random": noise, "trak": expected + 0.5 * noise, "nothing": np.zeros_like(expected)}
    records = {"trak": {"members": 10, "dim": 1024, "ridge": 0.1, "method": "trak"}}
    evaluated = lds.evaluate(predictions, outputs, TARGETS, seed=0, resamples=200, records=records)
    return evaluated, predictions, outputs


class TestEvaluate:
    def test_rows(self, tables):
        table, predictions, outputs = tables[0].lds, *tables[1:]
        assert list(table.columns) == lds.COLUMNS
        assert list(table["method"]) == ["random", "trak", "nothing"]
        trak = table.set_index("method").loc["trak"]
        assert (trak["members"], trak["dim"], trak["ridge"], trak["subsets"], trak["seeds"]) == (10, 1024, 0.1, 40, 3)
        assert trak["lds"] == pytest.approx(lds.lds_per_target(predictions["trak"], outputs.mean(axis=1)).mean())
        assert trak["lds_low"] < trak["lds"] < trak["lds_high"]
        assert (table["ceiling"] == lds.noise_ceiling(outputs)).all()
        assert (table["over_ceiling"] == table["lds"] / table["ceiling"]).all()
        assert table["timestep"].isna().all()
        assert (table["kind"] == "test").all()
        assert (table["targets"] == 20).all()
        nothing = table.set_index("method").loc["nothing", ["lds", "lds_low", "lds_high"]]
        assert (nothing == 0).all()

    def test_written_and_read_again(self, tables, tmp_path):
        files.write_table(tmp_path / "lds.csv", tables[0].lds)
        text = (tmp_path / "lds.csv").read_text().splitlines()
        assert text[0] == ",".join(lds.COLUMNS)
        assert text[2].endswith(",40,3,10,1024,0.1,20")
        assert text[1].startswith("test,,random,")
        assert text[1].endswith(",40,3,,,,20")

    def test_per_target(self, tables):
        means = tables[0].targets.groupby("method")["lds"].mean()
        np.testing.assert_allclose(means[tables[0].lds["method"]], tables[0].lds["lds"])
        assert tables[0].targets["target"].tolist() == list(range(100, 120)) * 3
        assert list(tables[0].targets.columns) == ["kind", "timestep", "method", "target", "lds"]

    def test_pairs_put_the_better_first(self, tables):
        pairs = tables[0].pairs
        assert (pairs["difference"] >= 0).all()
        assert len(pairs) == 3
        ahead = pairs.set_index(["method", "against"]).loc[("trak", "random")]
        scores = tables[0].lds.set_index("method")["lds"]
        assert ahead["difference"] == pytest.approx(scores["trak"] - scores["random"])
        assert 0 < ahead["difference_low"] < ahead["difference"] < ahead["difference_high"]
        assert ahead["share"] == 1

    def test_a_method_does_not_depend_on_its_company(self, tables):
        evaluated, predictions, outputs = tables
        alone = lds.evaluate({"trak": predictions["trak"]}, outputs, TARGETS, seed=0, resamples=200).lds
        columns = ["lds", "lds_low", "lds_high"]
        together = evaluated.lds.set_index("method").loc[["trak"], columns]
        np.testing.assert_allclose(alone[columns].to_numpy(), together.to_numpy(), rtol=1e-12)

    def test_nothing_is_over_no_ceiling(self, tables):
        one_seed = lds.evaluate(tables[1], tables[2][:, :1], TARGETS, seed=0, resamples=10).lds
        assert one_seed[["ceiling", "over_ceiling"]].isna().all(axis=None)
        constant = lds.evaluate(tables[1], np.ones_like(tables[2]), TARGETS, seed=0, resamples=10).lds
        assert (constant["ceiling"] == 0).all()
        assert constant["over_ceiling"].isna().all()

    def test_nan_names_the_target(self, tables):
        broken = tables[2].copy()
        broken[3, 1, 7] = np.nan
        with pytest.raises(UserError, match=r"retrained models \(test\): not finite.*first target 107\."):
            lds.evaluate(tables[1], broken, TARGETS, seed=0, resamples=10)
        scores = tables[1]["trak"].copy()
        scores[0, 4] = np.inf
        with pytest.raises(UserError, match=r"scores of trak \(test\): not finite.*first target 104\."):
            lds.evaluate({"trak": scores}, tables[2], TARGETS, seed=0, resamples=10)

    def test_shapes_must_agree(self, tables):
        with pytest.raises(ValueError, match="trak: predictions are"):
            lds.evaluate({"trak": tables[1]["trak"][:, 1:]}, tables[2], TARGETS, seed=0, resamples=10)
        with pytest.raises(ValueError, match="outputs are of 20 entries, but 19 are evaluated"):
            lds.evaluate({}, tables[2], TARGETS.iloc[1:], seed=0)


STEPS = (300, 600)


def trajectories(images=6, tests=4):
    """A table of targets of a diffusion experiment: generated images with two steps and a patch, test, tuning."""
    entries = [(None, ""), (600, ""), (300, ""), (300, "nose")]
    rows = [(image, "generated", *entry, "evaluation") for image in range(images) for entry in entries]
    rows += [(image, "test", None, "", "evaluation") for image in range(images, images + tests)]
    rows += [(images + tests, "generated", *entry, "tuning") for entry in entries]
    table = pd.DataFrame(rows, columns=["target", "kind", "timestep", "patch", "role"])
    return table.astype({"timestep": "Int64"})


@pytest.fixture(scope="module")
def journeys():
    """A table of targets, and predictions and outputs of its evaluated entries."""
    table = trajectories()
    entries = int((table["role"] == "evaluation").sum())
    outputs, expected = simulate(np.linspace(0.1, 0.9, entries), 30, 3, rng(5))
    noise = rng(6).standard_normal(expected.shape)
    predictions = {"journey_trak": expected + 0.3 * noise, "trak": expected + noise, "random": noise}
    return table, predictions, outputs


class TestGroups:
    KINDS = [("generated", None), ("generated", 300), ("generated", 600), ("patch nose", 300), ("test", None)]

    def evaluate(self, journeys, **changes):
        table, predictions, outputs = journeys
        return lds.evaluate(predictions | changes, outputs, table, seed=3, resamples=50, steps_only=JOURNEY)

    def test_a_group_is_evaluated_as_if_it_were_alone(self, journeys):
        table, predictions, outputs = journeys
        found = self.evaluate(journeys)
        assert [(g.kind, g.timestep) for g in groups(table)] == self.KINDS
        for group in groups(table):
            listed = [n for n in predictions if n != "journey_trak" or group.timestep is not None]
            numbers = table["target"].to_numpy()[group.positions]
            alone = lds.evaluate(
                {name: predictions[name][:, group.positions] for name in listed},
                outputs[:, :, group.positions],
                table.iloc[group.positions],
                seed=3,
                resamples=50,
            )
            for every, expected in zip(found, alone, strict=True):
                same = every["timestep"].isna() if group.timestep is None else every["timestep"] == group.timestep
                part = every[(every["kind"] == group.kind) & same.fillna(False)].reset_index(drop=True)
                pd.testing.assert_frame_equal(part, expected)
            assert set(alone.lds["targets"]) == {len(numbers)}
            assert alone.targets["target"].tolist() == numbers.tolist() * len(listed)

    def test_rows_come_in_the_order_of_groups_and_methods(self, journeys):
        table = self.evaluate(journeys).lds
        found = [
            (kind, None if pd.isna(step) else step, method)
            for kind, step, method in table[["kind", "timestep", "method"]].itertuples(index=False)
        ]
        methods = {step: [name for name in journeys[1] if step or name != "journey_trak"] for step in (None, *STEPS)}
        assert found == [(kind, step, name) for kind, step in self.KINDS for name in methods[step]]

    def test_methods_of_steps_are_left_out_where_there_is_none(self, journeys):
        noise = journeys[1]["random"]
        found = self.evaluate(journeys, **dict.fromkeys(JOURNEY, noise))
        for table in (*found, found.pairs.assign(method=found.pairs["against"])):
            assert not set(table.loc[table["timestep"].isna(), "method"]) & set(JOURNEY)
        for table in (found.lds, found.targets):
            assert set(JOURNEY) < set(table.loc[table["timestep"].notna(), "method"])

    def test_what_is_left_out_may_be_anything_and_what_is_not_is_named(self, journeys):
        table, predictions, _ = journeys
        for kind, timestep, positions in groups(table):
            broken = predictions["journey_trak"].copy()
            broken[2, positions[1]] = np.nan
            if timestep is None:
                self.evaluate(journeys, journey_trak=broken)
                continue
            number = table["target"][positions[1]]
            what = rf"scores of journey_trak \({kind}, timestep {timestep}\): not finite.* first target {number}"
            with pytest.raises(UserError, match=what):
                self.evaluate(journeys, journey_trak=broken)

    def test_groups_of_the_same_images_share_their_resamples(self, journeys):
        """Equal numbers at every step have equal intervals."""
        table, predictions, outputs = journeys
        first, second = (g.positions for g in groups(table) if g.timestep in STEPS and g.kind == "generated")
        predictions = {name: values.copy() for name, values in predictions.items()}
        outputs = outputs.copy()
        outputs[:, :, second] = outputs[:, :, first]
        for values in predictions.values():
            values[:, second] = values[:, first]
        for found in self.evaluate((table, predictions, outputs)):
            parts = [found[(found["timestep"] == t) & (found["kind"] == "generated")] for t in STEPS]
            one, other = (part.drop(columns="timestep").reset_index(drop=True) for part in parts)
            pd.testing.assert_frame_equal(one, other)


class TestPooled:
    def test_is_the_mean_over_images_and_steps(self, journeys):
        table, predictions, outputs = journeys
        found = lds.evaluate_pooled(predictions, outputs, table, seed=0, resamples=20).set_index("method")
        chosen = (table["kind"] == "generated") & table["timestep"].notna() & (table["patch"] == "")
        entries = np.flatnonzero(chosen & (table["role"] == "evaluation"))
        assert len(entries) == 12
        assert list(found.index) == list(predictions)
        for name, values in predictions.items():
            expected = lds.lds_per_target(values[:, entries], outputs.mean(1)[:, entries]).mean()
            assert found.loc[name, "lds"] == pytest.approx(expected, abs=1e-12)
        ceilings = lds.evaluate(predictions, outputs, table, seed=0, resamples=2).lds
        steps = ceilings[(ceilings["kind"] == "generated") & ceilings["timestep"].notna()]
        assert found["ceiling"].to_numpy() == pytest.approx(steps["ceiling"].mean())

    def test_a_resample_draws_an_image_with_its_steps(self, journeys):
        """Every resample written out: drawn subsets ranked by scipy, drawn images with both of their steps."""
        table, predictions, outputs = journeys
        resamples, mean = 30, outputs.mean(1)
        subsets = intervals.draw(4, "subsets", 30, resamples)
        images = intervals.draw(4, "targets", 6, resamples)
        steps = [g.positions for g in groups(table) if g.kind == "generated" and g.timestep is not None]
        found = lds.evaluate_pooled(predictions, outputs, table, seed=4, resamples=resamples, level=0.8)
        for row in found.itertuples():
            values = []
            for resample in range(resamples):
                drawn = np.repeat(np.arange(30), subsets[:, resample])
                cells = [
                    brute_spearman(predictions[row.method][drawn, entry], mean[drawn, entry])
                    for positions in steps
                    for entry in np.repeat(positions, images[:, resample])
                ]
                assert len(cells) == 12
                values.append(np.mean(cells))
            assert (row.lds_low, row.lds_high) == pytest.approx(intervals.interval(np.array(values), 0.8), abs=1e-6)

    def test_without_steps_it_is_the_group_itself(self, tables):
        evaluated, predictions, outputs = tables
        found = lds.evaluate_pooled(predictions, outputs, TARGETS, seed=0, resamples=200)
        pd.testing.assert_frame_equal(found, evaluated.lds[list(found)], check_exact=True)

    def test_nan_names_method_step_and_image(self, journeys):
        table, predictions, outputs = journeys
        broken = predictions["trak"].copy()
        broken[0, 5] = np.inf  # image 1 at its first step
        with pytest.raises(UserError, match=r"scores of trak \(generated, timestep 600\).* first target 1\."):
            lds.evaluate_pooled({"trak": broken}, outputs, table, seed=0, resamples=2)

    def test_steps_must_hold_the_same_images(self, journeys):
        table, predictions, outputs = journeys
        wrong = table.copy()
        wrong.loc[1, "timestep"] = 300
        with pytest.raises(ValueError, match="do not hold the same images"):
            lds.evaluate_pooled(predictions, outputs, wrong, seed=0, resamples=2)
        with pytest.raises(ValueError, match="28 entries, but 32 are evaluated"):
            lds.evaluate_pooled(predictions, outputs, table.assign(role="evaluation"), seed=0, resamples=2)
