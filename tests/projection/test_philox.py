import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.projection.philox import philox, philox_lanes, philox_words

WORD = 0xFFFFFFFF
# Known answers of Random123 for philox4x32 with 10 rounds: counter, key, output.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((WORD, WORD, WORD, WORD), (WORD, WORD), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
words = st.integers(0, WORD)


def compiled(counter, key):
    return tuple(int(word) for word in philox_words(*map(np.uint64, counter), np.uint64(key)))


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers(counter, key, answer):
    key = key[0] | key[1] << 32
    assert tuple(philox(np.array(counter, np.uint32), key)) == answer
    assert compiled(counter, key) == answer


@given(st.tuples(words, words, words, words), st.integers(0, 2**64 - 1))
def test_compiled_words_equal_the_reference(counter, key):
    reference = philox(np.array(counter, np.uint32), key)
    assert reference.dtype == np.uint32
    assert compiled(counter, key) == tuple(reference)


def test_counters_of_any_shape():
    counters = np.random.default_rng(0).integers(0, 2**32, (3, 5, 4), np.uint32)
    whole = philox(counters, 17)
    assert whole.shape == (3, 5, 4)
    for i in range(3):
        for j in range(5):
            np.testing.assert_array_equal(whole[i, j], philox(counters[i, j], 17))


@given(row=st.integers(0, 2**50), group=words, key=st.integers(0, 2**63 - 1))
def test_lanes_equal_the_reference(row, group, key):
    found = np.empty((4, 32), np.uint64)
    philox_lanes(found, row, group, np.uint64(key))
    counters = np.array([[row % 2**32, row // 2**32, group, lane] for lane in range(32)], np.uint32)
    np.testing.assert_array_equal(found.T, philox(counters, key))
