import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trakway.data.sampling import held_out, sample, shares, shortage


@given(size=st.integers(0, 10_000), classes=st.integers(1, 50))
def test_shares_are_as_equal_as_possible(size, classes):
    parts = shares(size, classes)
    assert len(parts) == classes
    assert sum(parts) == size
    assert max(parts) - min(parts) <= 1


@st.composite
def draws(draw):
    counts = draw(st.lists(st.integers(1, 12), min_size=2, max_size=6))
    labels = np.random.default_rng(draw(st.integers(0, 99))).permutation(np.repeat(np.arange(len(counts)), counts))
    picked = draw(st.permutations(range(len(counts))))[: draw(st.integers(2, len(counts)))]
    size = draw(st.none() | st.integers(len(picked), len(picked) * min(counts[label] for label in picked)))
    return labels, picked, size


@given(drawn=draws(), seed=st.integers(0, 5))
def test_sample_is_balanced_without_repeats_and_reproducible(drawn, seed):
    labels, picked, size = drawn
    assert shortage(labels, picked, size) is None
    rows = sample(labels, picked, size, seed, 0)
    assert len(set(rows.tolist())) == len(rows)
    counts = [(labels[rows] == label).sum() for label in picked]
    assert sum(counts) == len(rows)
    assert counts == ([(labels == label).sum() for label in picked] if size is None else shares(size, len(picked)))
    np.testing.assert_array_equal(rows, sample(labels, picked, size, seed, 0))


@given(drawn=draws(), seed=st.integers(0, 5))
def test_a_larger_sample_only_adds(drawn, seed):
    labels, picked, size = drawn
    everything = sample(labels, picked, size, seed, 1)
    for smaller in range(len(picked), len(everything) if size else 0):
        assert set(sample(labels, picked, smaller, seed, 1)) < set(everything)


def test_seed_and_split_change_the_sample_and_order_is_shuffled():
    labels = np.repeat([0, 1], 100)
    first = sample(labels, [0, 1], 100, 0, 0)
    assert not np.array_equal(first, sample(labels, [0, 1], 100, 1, 0))
    assert not np.array_equal(first, sample(labels, [0, 1], 100, 0, 1))
    half = (labels[first[:50]] == 0).sum()
    assert 10 < half < 40  # sorted by class it would be 0 or 50


def test_shortage_names_the_class():
    labels = np.repeat([0, 1, 2], [5, 3, 0])
    assert shortage(labels, [0, 1], 6) is None
    assert shortage(labels, [0, 1], 7) is None  # the first class gives the odd one
    assert shortage(labels, [1, 0], 7) == (1, 3, 4)
    assert shortage(labels, [0, 2], None) == (2, 0, 1)
    assert shortage(labels, [0, 3], None) == (3, 0, 1)


@given(number=st.integers(0, 200))
def test_a_quarter_is_held_out_always_the_same(number):
    train, test = held_out(number, "mine")
    assert sorted([*train, *test]) == list(range(number))
    assert len(test) == round(number / 4)
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    np.testing.assert_array_equal(test, held_out(number, "mine")[1])
    if number > 20:
        assert test.tolist() != held_out(number, "another's")[1].tolist()
