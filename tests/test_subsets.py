import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trakway.errors import UserError
from trakway.plan import count_removal_rows, removal_rows
from trakway.subsets import random_subsets, removal_subsets


def table_of(count):
    """The table of targets of a classification experiment."""
    role = ["evaluation"] * count + ["tuning"]
    whole = {"kind": "test", "timestep": None, "patch": ""}
    return pd.DataFrame({"target": range(count + 1), "row": 5, "role": role, "label": 0, **whole})


@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 60),
    count=st.integers(0, 8),
    fraction=st.floats(0, 1, exclude_min=True),
)
def test_random_subsets_have_the_exact_size(seed, n, count, fraction):
    if round(fraction * n) == 0:
        with pytest.raises(UserError, match="at least one example"):
            random_subsets(seed, "members", n, count, fraction)
        return
    masks = random_subsets(seed, "members", n, count, fraction)
    assert masks.dtype == bool
    assert masks.shape == (count, n)
    assert (masks.sum(axis=1) == round(fraction * n)).all()


@given(seed=st.integers(0, 1000), n=st.integers(2, 40), count=st.integers(1, 10), more=st.integers(0, 10))
def test_more_subsets_leave_the_earlier_ones_the_same(seed, n, count, more):
    few, many = (random_subsets(seed, "evaluation", n, c, 0.5) for c in (count, count + more))
    np.testing.assert_array_equal(few, many[:count])


def test_subsets_are_uniform_and_independent():
    masks = random_subsets(0, "evaluation", 40, 2000, 0.25).astype(float)
    # Each example is in a quarter of the subsets, each pair in 1/4 * 9/39 of them: within five standard errors.
    assert np.abs(masks.mean(axis=0) - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 2000)
    pairs = (masks.T @ masks / 2000)[np.triu_indices(40, 1)]
    expected = 0.25 * 9 / 39
    assert np.abs(pairs - expected).max() < 5 * np.sqrt(expected * (1 - expected) / 2000)


def test_seed_and_role_name_the_subsets():
    members = random_subsets(0, "members", 50, 4, 0.5)
    assert not np.array_equal(members, random_subsets(0, "evaluation", 50, 4, 0.5))
    assert not np.array_equal(members, random_subsets(1, "members", 50, 4, 0.5))
    assert len(np.unique(members, axis=0)) == 4


@pytest.mark.parametrize("fraction", [0, -0.1, 1.1, float("nan")])
def test_fraction_out_of_range(fraction):
    with pytest.raises(UserError, match="members: fraction"):
        random_subsets(0, "members", 10, 1, fraction)


@st.composite
def removals(draw):
    n, targets = draw(st.integers(5, 30)), draw(st.integers(1, 4))
    fractions = draw(st.lists(st.sampled_from([0.001, 0.1, 0.25, 0.5, 0.8]), min_size=1, max_size=3, unique=True))
    removal = {
        "targets": targets,
        "fractions": fractions,
        "sides": draw(st.sampled_from([["top"], ["bottom"], ["top", "bottom"]])),
        "methods": draw(st.sampled_from([["trak"], ["trak", "pixel"], ["pixel", "random", "trak"], ["random"]])),
        "random": draw(st.integers(0, 3)),
        "full_grid": draw(st.sampled_from([None, [], ["trak"]])),
        "compare_fraction": draw(st.sampled_from(fractions)),
    }
    if removal["methods"] == ["random"]:
        removal["full_grid"] = None
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    # Small whole numbers: many ties.
    scores = {name: rng.integers(-3, 4, (targets + 2, n)).astype(np.float32) for name in ("trak", "pixel")}
    return removal, scores, n, table_of(removal["targets"] + 2)


@given(drawn=removals())
@settings(deadline=None)
def test_removal_takes_exactly_the_right_examples(drawn):
    removal, scores, n, entries = drawn
    masks, table = removal_subsets(removal, scores, entries, n, seed=7)
    assert masks.shape == (len(table), n)
    assert len(table) == count_removal_rows(removal)
    assert list(table.columns) == ["method", "side", "k", "fraction", "target", "timestep"]
    assert table["timestep"].dtype == "Int64"
    assert table["timestep"].isna().all()
    for mask, row, planned in zip(masks, table.itertuples(), removal_rows(removal), strict=True):
        assert (row.method, row.side, row.fraction, row.target) == (
            planned.method,
            planned.side,
            planned.fraction,
            planned.target,
        )
        assert row.k == max(1, round(row.fraction * n)) == n - mask.sum()
        if row.method == "random":
            assert (row.side, row.target) == ("random", -1)
            continue
        values = scores[row.method][row.target].tolist()
        sign = -1 if row.side == "top" else 1
        by_hand = sorted(range(n), key=lambda i: (sign * values[i], i))[: row.k]
        assert sorted(by_hand) == np.flatnonzero(~mask).tolist()


def test_removal_by_hand():
    removal = {"targets": 1, "fractions": [0.5], "sides": ["top", "bottom"], "methods": ["trak"], "random": 0}
    masks, table = removal_subsets(removal, {"trak": np.array([[0.0, 5.0, 1.0, 5.0, -1.0, 0.0]])}, table_of(1), 6, 0)
    np.testing.assert_array_equal(np.flatnonzero(~masks[0]), [1, 2, 3])
    np.testing.assert_array_equal(np.flatnonzero(~masks[1]), [0, 4, 5])
    assert table["side"].tolist() == ["top", "bottom"]


def test_random_control_is_keyed_by_fraction_and_repeat():
    removal = {"targets": 1, "fractions": [0.1, 0.2], "sides": ["top"], "methods": [], "random": 3}
    few, _ = removal_subsets(removal, {}, table_of(1), 50, 0)
    many, _ = removal_subsets(removal | {"random": 5, "fractions": [0.1, 0.2, 0.3]}, {}, table_of(1), 50, 0)
    np.testing.assert_array_equal(few[:3], many[:3])
    np.testing.assert_array_equal(few[3:], many[5:8])
    assert len(np.unique(many, axis=0)) == len(many)
    other, _ = removal_subsets(removal, {}, table_of(1), 50, 1)
    assert not np.array_equal(few, other)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "no scores of 'trak'"),
        ({"trak": np.zeros((2, 9))}, r"shape \(2, 9\); needed are at least 2 rows .* × 10"),
        ({"trak": np.zeros((1, 10))}, r"shape \(1, 10\)"),
        ({"trak": np.zeros(10)}, r"shape \(10,\)"),
        ({"trak": np.where(np.arange(20).reshape(2, 10) == 13, np.nan, 0)}, "target 1, training example 3 is nan"),
    ],
)
def test_scores_that_cannot_be_used(scores, message):
    removal = {"targets": 2, "fractions": [0.1], "sides": ["top"], "methods": ["trak"], "random": 1}
    with pytest.raises(UserError, match=message):
        removal_subsets(removal, scores, table_of(2), 10, 0)


def test_removing_everything():
    removal = {"targets": 1, "fractions": [0.96], "sides": ["top"], "methods": [], "random": 1}
    with pytest.raises(UserError, match=r"0\.96 removes all 10 training examples"):
        removal_subsets(removal, {}, table_of(1), 10, 0)


def journeys(count, steps, before=0):
    """The table of a diffusion experiment: ``count`` samples with a patch each, a real image, a tuning sample."""
    each = [(pd.NA, ""), *((step, "") for step in steps), (steps[0], "corner")]
    entries = [(before + one, "generated", *entry, "evaluation") for one in range(count) for entry in each]
    entries.append((before + count, "test", pd.NA, "", "evaluation"))
    entries += [(before + count + 1, "generated", *entry, "tuning") for entry in each[:-1]]
    columns = ["target", "kind", "timestep", "patch", "role"]
    return pd.DataFrame(entries, columns=columns).astype({"timestep": "Int64"})


JOURNEY = {"targets": 2, "fractions": [0.2], "sides": ["top"], "methods": ["trak", "journey_trak"], "random": 2}
PER_STEP = ["journey_trak"]


def test_a_method_of_steps_removes_by_the_scores_of_each_step():
    entries, n = journeys(3, [800, 200]), 10
    rng = np.random.default_rng(0)
    evaluated = int((entries["role"] == "evaluation").sum())
    scores = {name: rng.standard_normal((evaluated, n)) for name in ("trak", "journey_trak")}
    masks, table = removal_subsets(JOURNEY | {"timesteps": [200, 800]}, scores, entries, n, 0, PER_STEP)
    # Four entries an image: the whole, 800, 200, the patch.
    expected = [("trak", 0, None, 0), ("trak", 1, None, 4)]
    expected += [("journey_trak", 0, 200, 2), ("journey_trak", 0, 800, 1)]
    expected += [("journey_trak", 1, 200, 6), ("journey_trak", 1, 800, 5)]
    for mask, row, (method, target, timestep, place) in zip(masks, table.itertuples(), expected, strict=False):
        assert (row.method, row.target) == (method, target)
        assert pd.isna(row.timestep) if timestep is None else row.timestep == timestep
        assert set(np.flatnonzero(~mask)) == set(np.argsort(-scores[method][place])[:2])
    assert table["method"].tolist() == ["trak"] * 2 + ["journey_trak"] * 4 + ["random"] * 2
    assert table.loc[6:, "timestep"].isna().all()


def test_without_timesteps_the_scores_of_whole_images_count():
    entries, n = journeys(2, [800, 200]), 10
    scores = {"journey_trak": np.random.default_rng(0).standard_normal((9, n))}
    removal = JOURNEY | {"methods": ["journey_trak"], "timesteps": None}
    masks, _ = removal_subsets(removal, scores, entries, n, 0, PER_STEP)
    assert len(masks) == 4
    for mask, place in zip(masks, (0, 4), strict=False):
        assert set(np.flatnonzero(~mask)) == set(np.argsort(-scores["journey_trak"][place])[:2])


def test_scores_that_no_row_needs_may_be_missing():
    """A method of steps has nothing to say of whole images, and a target beyond removal.targets is not looked at."""
    entries = journeys(3, [800, 200])
    scores = np.full((13, 10), np.nan)
    scores[[2, 6]] = np.arange(10.0)
    removal = JOURNEY | {"methods": ["journey_trak"], "timesteps": [200]}
    masks, _ = removal_subsets(removal, {"journey_trak": scores}, entries, 10, 0, PER_STEP)
    assert not masks[:2, 8:].any()
    scores[6, 3] = np.inf
    with pytest.raises(UserError, match="journey_trak for target 1, training example 3 is inf"):
        removal_subsets(removal, {"journey_trak": scores}, entries, 10, 0, PER_STEP)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (journeys(1, [800, 200]), r"images \[0\] at timestep 200; needed .* at least 2"),
        (journeys(2, [800]), r"images \[\] at timestep 200"),
        (journeys(2, [800, 200], before=1), r"images \[1, 2\] at timestep 200"),
    ],
)
def test_targets_without_an_entry(table, message):
    removal = JOURNEY | {"methods": ["journey_trak"], "timesteps": [200]}
    with pytest.raises(UserError, match=message):
        removal_subsets(removal, {"journey_trak": np.zeros((20, 10))}, table, 10, 0, PER_STEP)
