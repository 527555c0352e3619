import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trakway.errors import UserError
from trakway.plan import count_removal_rows, removal_rows
from trakway.subsets import random_subsets, removal_subsets


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
    return removal, scores, n


@given(drawn=removals())
@settings(deadline=None)
def test_removal_takes_exactly_the_right_examples(drawn):
    removal, scores, n = drawn
    masks, table = removal_subsets(removal, scores, n, seed=7)
    assert masks.shape == (len(table), n)
    assert len(table) == count_removal_rows(removal)
    assert list(table.columns) == ["method", "side", "k", "fraction", "target"]
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
    masks, table = removal_subsets(removal, {"trak": np.array([[0.0, 5.0, 1.0, 5.0, -1.0, 0.0]])}, 6, 0)
    np.testing.assert_array_equal(np.flatnonzero(~masks[0]), [1, 2, 3])
    np.testing.assert_array_equal(np.flatnonzero(~masks[1]), [0, 4, 5])
    assert table["side"].tolist() == ["top", "bottom"]


def test_random_control_is_keyed_by_fraction_and_repeat():
    removal = {"targets": 1, "fractions": [0.1, 0.2], "sides": ["top"], "methods": [], "random": 3}
    few, _ = removal_subsets(removal, {}, 50, 0)
    many, _ = removal_subsets(removal | {"random": 5, "fractions": [0.1, 0.2, 0.3]}, {}, 50, 0)
    np.testing.assert_array_equal(few[:3], many[:3])
    np.testing.assert_array_equal(few[3:], many[5:8])
    assert len(np.unique(many, axis=0)) == len(many)
    other, _ = removal_subsets(removal, {}, 50, 1)
    assert not np.array_equal(few, other)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "no scores of 'trak'"),
        ({"trak": np.zeros((2, 9))}, r"shape \(2, 9\); needed are at least 2 targets .* × 10"),
        ({"trak": np.zeros((1, 10))}, r"shape \(1, 10\)"),
        ({"trak": np.zeros(10)}, r"shape \(10,\)"),
        ({"trak": np.where(np.arange(20).reshape(2, 10) == 13, np.nan, 0)}, "target 1, training example 3 is nan"),
    ],
)
def test_scores_that_cannot_be_used(scores, message):
    removal = {"targets": 2, "fractions": [0.1], "sides": ["top"], "methods": ["trak"], "random": 1}
    with pytest.raises(UserError, match=message):
        removal_subsets(removal, scores, 10, 0)


def test_removing_everything():
    removal = {"targets": 1, "fractions": [0.96], "sides": ["top"], "methods": [], "random": 1}
    with pytest.raises(UserError, match=r"0\.96 removes all 10 training examples"):
        removal_subsets(removal, {}, 10, 0)
