import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trakway.seeds import derive, generator

streams = st.tuples(
    st.integers(0, 2**40),
    st.sampled_from(["train:members", "epoch", "targets"]),
    st.lists(st.integers(0, 99), max_size=2),
)


def test_the_definition_stays():
    # Another value here means that no published number can be made again.
    expected = int.from_bytes(hashlib.blake2b(b"7/train:members/3", digest_size=8).digest(), "little") // 2
    assert derive(7, "train:members", 3) == expected == 4962509404100146857


@given(streams, streams)
def test_streams_differ_where_their_names_differ(one, other):
    first, second = (derive(seed, role, *index) for seed, role, index in (one, other))
    assert 0 <= first < 2**63
    assert (first == second) == (one == other)


@given(streams)
def test_numpy_integers_name_the_same_stream(stream):
    seed, role, index = stream
    assert derive(np.int64(seed), role, *np.array(index, dtype=int)) == derive(seed, role, *index)


def test_a_generator_is_a_function_of_its_name():
    draws = generator(0, "epoch", 1).random(5)
    np.random.seed(0)  # no state outside the stream plays a part
    generator(0, "epoch", 2).random(5)
    np.testing.assert_array_equal(draws, generator(0, "epoch", 1).random(5))
    assert not np.isin(draws, generator(0, "epoch", 2).random(5)).any()
    assert not np.isin(draws, generator(1, "epoch", 1).random(5)).any()


def test_streams_of_neighbouring_indices_are_uncorrelated():
    draws = np.stack([generator(0, "train:members", i).standard_normal(400) for i in range(40)])
    correlations = np.corrcoef(draws)[np.triu_indices(40, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(400)
