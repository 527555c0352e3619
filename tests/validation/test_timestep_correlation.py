import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from trakway.errors import UserError
from trakway.storage import files
from trakway.validation.timestep_correlation import COLUMNS, make

STEPS = (800, 500, 100)


def table_of(images):
    """Samples with a step each, a patch between, a real image, a tuning sample."""
    each = [(pd.NA, ""), (800, ""), (500, ""), (500, "corner"), (100, "")]
    rows = [(one, "generated", *entry, "evaluation") for one in range(images) for entry in each]
    rows += [(images, "test", pd.NA, "", "evaluation")]
    rows += [(images + 1, "generated", *entry, "tuning") for entry in each]
    columns = ["target", "kind", "timestep", "patch", "role"]
    return pd.DataFrame(rows, columns=columns).astype({"timestep": "Int64"})


def scores_of(images, n=40, likeness=2.0, seed=0):
    """Scores whose part that all steps of an image share is ``likeness`` times as large as the rest."""
    rng = np.random.default_rng(seed)
    shared = np.repeat(rng.standard_normal((images, n)), 5, axis=0) * likeness
    return np.concatenate([shared + rng.standard_normal(shared.shape), rng.standard_normal((1, n))]).astype(np.float32)


def test_is_the_mean_of_rank_correlations():
    scores = np.round(scores_of(4), 1)  # with ties
    table = make({"journey_trak": scores}, table_of(4), seed=0, resamples=50)
    assert list(table.columns) == COLUMNS
    assert set(zip(table["timestep"], table["other"], strict=True)) == {(a, b) for a in STEPS for b in STEPS}
    assert len(table) == 9
    rows = {800: 1, 500: 2, 100: 4}
    for one in table.itertuples():
        values = [
            spearmanr(scores[5 * i + rows[one.timestep]], scores[5 * i + rows[one.other]]).statistic for i in range(4)
        ]
        assert one.correlation == pytest.approx(np.mean(values), abs=1e-12)
        assert one.correlation_low <= one.correlation <= one.correlation_high
        assert min(values) - 1e-12 <= one.correlation_low
        assert one.targets == 4
    same = table[table["timestep"] == table["other"]]
    assert (same[["correlation", "correlation_low", "correlation_high"]] == 1).all(axis=None)


def test_methods_in_the_order_given():
    """Which ones' scores depend on the step is for the plan to say."""
    table = make({name: scores_of(2) for name in ("mine", "gradient_dot")}, table_of(2), seed=0, resamples=10)
    assert table["method"].unique().tolist() == ["mine", "gradient_dot"]
    assert len(table) == 18


def test_unrelated_steps():
    """Intervals cover 0 where the steps have nothing in common, and stay far from it where they have much."""
    covered = 0
    for seed in range(40):
        table = make({"datamodel": scores_of(12, likeness=0, seed=seed)}, table_of(12), seed=seed, resamples=200)
        row = table[(table["timestep"] == 800) & (table["other"] == 100)].iloc[0]
        covered += row["correlation_low"] <= 0 <= row["correlation_high"]
    assert covered >= 34
    alike = make({"datamodel": scores_of(12)}, table_of(12), seed=0, resamples=200)
    assert alike["correlation_low"].min() > 0.5


def test_symmetry_and_the_file(tmp_path):
    table = make({"journey_trak": scores_of(3)}, table_of(3), seed=0, resamples=20)
    grid = table.pivot(index="timestep", columns="other", values="correlation")
    np.testing.assert_array_equal(grid, grid.T)
    files.write_table(tmp_path / "timestep_correlation.csv", table)
    header, first, *_ = (tmp_path / "timestep_correlation.csv").read_text().splitlines()
    assert header == "method,timestep,other,correlation,correlation_low,correlation_high,targets"
    assert first.startswith("journey_trak,100,100,1.0,1.0,1.0,3")


def test_something_constant_correlates_with_nothing():
    scores = scores_of(2)
    scores[[1, 6]] = 3
    grid = make({"journey_trak": scores}, table_of(2), seed=0, resamples=10).set_index(["timestep", "other"])
    assert grid.loc[(800, 500), "correlation"] == 0
    assert grid.loc[(800, 800), "correlation"] == 1


def test_without_steps():
    whole = {"role": "evaluation", "kind": "test", "timestep": None, "patch": ""}
    table = pd.DataFrame({"target": range(3), **whole})
    found = make({"gradient_dot": np.zeros((3, 5))}, table, seed=0)
    assert found.empty
    assert list(found.columns) == COLUMNS


def test_not_finite():
    scores = scores_of(2)
    scores[9, 0] = np.nan
    with pytest.raises(UserError, match=r"journey_trak: not finite .* rows \[9, 7, 6\]"):
        make({"journey_trak": scores}, table_of(2), seed=0)


def test_an_image_without_one_of_the_steps():
    table = table_of(2).drop(index=9)
    with pytest.raises(ValueError, match=r"shape|same images"):
        make({"journey_trak": scores_of(2)}, table, seed=0)
