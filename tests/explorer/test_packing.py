import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.explorer.packing import bits, decimals, doubles, packed, singles, width_of


def raw(text):
    return base64.b64decode(text)


@given(st.integers(1, 32).flatmap(lambda w: st.tuples(st.just(w), st.lists(st.integers(0, 2**w - 1), max_size=20))))
def test_whole_numbers_follow_one_another_bit_by_bit(case):
    width, values = case
    text = "".join(f"{byte:08b}" for byte in raw(packed(np.array(values, np.int64), width)))
    assert [int(text[i * width : (i + 1) * width], 2) for i in range(len(values))] == values
    assert set(text[len(values) * width :]) <= {"0"}
    assert len(text) - len(values) * width < 8


def test_truths():
    mask = np.array([[True, False, False], [True, True, True]])
    assert raw(bits(mask)) == bytes([0b10011100])


@pytest.mark.parametrize(("count", "width"), [(1, 1), (2, 1), (3, 2), (500, 9), (512, 9), (513, 10)])
def test_bits_that_numbers_below_a_count_take(count, width):
    assert width_of(count) == width


@given(st.lists(st.floats(-1e30, 1e30, allow_subnormal=False), min_size=1, max_size=20))
def test_decimals_have_four_digits_of_the_largest(values):
    found = decimals(np.array(values))
    whole = np.frombuffer(raw(found["data"]), "<i2")
    largest = max(map(abs, values))
    back = [float(f"{number}e{found['power']}") for number in whole]
    assert np.abs(whole.astype(int)).max() <= 32767
    for value, number in zip(values, back, strict=True):
        assert abs(value - number) <= 0.500001 * 10.0 ** found["power"] + 1e-300
    if largest > 1e-290:
        assert np.abs(whole.astype(int)).max() >= 3276


def test_only_finite_numbers_are_rounded():
    with pytest.raises(ValueError, match="finite"):
        decimals(np.array([1.0, np.nan]))


def test_floats_are_kept_as_they_are():
    values = np.array([[1.5, -2e-300], [np.pi, 0.0]])
    np.testing.assert_array_equal(np.frombuffer(raw(doubles(values)), "<f8"), values.ravel())
    np.testing.assert_array_equal(np.frombuffer(raw(singles(values)), "<f4"), values.ravel().astype(np.float32))
