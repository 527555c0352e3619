"""Tests of the linear datamodeling score against scipy, one target at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import spearmanr

from trakway import files
from trakway.errors import UserError
from trakway.validation import lds


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


def test_by_subset_is_subset_major():
    outputs = np.arange(12).reshape(6, 2)
    np.testing.assert_array_equal(lds.by_subset(outputs, 3)[1], outputs[2:4])
    with pytest.raises(ValueError, match="6 models"):
        lds.by_subset(outputs, 4)


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


@pytest.fixture(scope="module")
def tables():
    outputs, expected = simulate(np.linspace(0.2, 0.9, 20), 40, 3, rng())
    noise = rng(1).standard_normal(expected.shape)
    predictions = {"random": noise, "trak": expected + 0.5 * noise, "nothing": np.zeros_like(expected)}
    records = {"trak": {"members": 10, "dim": 1024, "ridge": 0.1, "method": "trak"}}
    evaluated = lds.evaluate(predictions, outputs, seed=0, resamples=200, records=records)
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
        assert table["timestep"].isna().all()
        nothing = table.set_index("method").loc["nothing", ["lds", "lds_low", "lds_high"]]
        assert (nothing == 0).all()

    def test_written_and_read_again(self, tables, tmp_path):
        files.write_table(tmp_path / "lds.csv", tables[0].lds)
        text = (tmp_path / "lds.csv").read_text().splitlines()
        assert text[0] == ",".join(lds.COLUMNS)
        assert text[2].endswith(",40,3,10,1024,0.1")
        assert text[1].endswith(",40,3,,,")

    def test_per_target(self, tables):
        means = tables[0].targets.groupby("method")["lds"].mean()
        np.testing.assert_allclose(means[tables[0].lds["method"]], tables[0].lds["lds"])
        assert len(tables[0].targets) == 60

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
        alone = lds.evaluate({"trak": predictions["trak"]}, outputs, seed=0, resamples=200).lds
        columns = ["lds", "lds_low", "lds_high"]
        together = evaluated.lds.set_index("method").loc[["trak"], columns]
        np.testing.assert_allclose(alone[columns].to_numpy(), together.to_numpy(), rtol=1e-12)

    def test_timestep_is_noted(self, tables):
        row = lds.evaluate({"trak": tables[1]["trak"]}, tables[2], seed=0, resamples=10, timestep=400).lds
        assert row.loc[0, "timestep"] == 400

    def test_nan_names_the_target(self, tables):
        broken = tables[2].copy()
        broken[3, 1, 7] = np.nan
        with pytest.raises(UserError, match="retrained models: not finite.*first target 7"):
            lds.evaluate(tables[1], broken, seed=0, resamples=10)
        scores = tables[1]["trak"].copy()
        scores[0, 4] = np.inf
        with pytest.raises(UserError, match="scores of trak: not finite.*first target 4"):
            lds.evaluate({"trak": scores}, tables[2], seed=0, resamples=10)

    def test_shapes_must_agree(self, tables):
        with pytest.raises(ValueError, match="trak: predictions are"):
            lds.evaluate({"trak": tables[1]["trak"][:, 1:]}, tables[2], seed=0, resamples=10)
