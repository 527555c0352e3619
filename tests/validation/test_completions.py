import numpy as np
import pandas as pd
import pytest

from trakway.errors import UserError
from trakway.validation.completions import KEY, Completions

KEYS = [
    ("reference", 0, 3, 800, "original"),
    ("reference", 0, 3, 800, "retrained"),
    ("removal", 12, 3, 200, "retrained"),
]


def part(keys, first=0):
    values = first + np.arange(len(keys) * 6, dtype=np.float32).reshape(len(keys), 3, 2)
    return pd.DataFrame(keys, columns=KEY), values


def test_are_found_by_key_whatever_the_part():
    features = Completions([part(KEYS[2:], first=100), part(KEYS[:2])])
    np.testing.assert_array_equal(features.of(*KEYS[0]), [[0, 1], [2, 3], [4, 5]])
    np.testing.assert_array_equal(features.of("reference", 0, 3, 800), [[6, 7], [8, 9], [10, 11]])
    np.testing.assert_array_equal(features.of(*KEYS[2]), [[100, 101], [102, 103], [104, 105]])
    assert features.of(*KEYS[0]).dtype == np.float64
    assert features.of("removal", np.int64(12), np.int64(3), np.int64(200)).shape == (3, 2)


def test_missing_ones_are_named():
    found = Completions([part(KEYS)])
    with pytest.raises(
        UserError, match="those of removal model 12 for image 3, timestep 800, stream 'retrained' are missing"
    ):
        found.of("removal", 12, 3, 800)


def test_the_same_twice():
    with pytest.raises(
        UserError, match="reference model 0 for image 3, timestep 800, stream 'original' are given twice"
    ):
        Completions([part(KEYS), part(KEYS[:1])])


def test_a_table_that_does_not_fit():
    index, values = part(KEYS)
    with pytest.raises(UserError, match="3 rows and the array beside it 2"):
        Completions([(index, values[1:])])


def test_not_finite():
    index, values = part(KEYS)
    values[2, 1, 0] = np.nan
    found = Completions([(index, values)])
    assert found.of(*KEYS[1]).shape == (3, 2)
    with pytest.raises(UserError, match=r"removal model 12 .* not finite"):
        found.of(*KEYS[2])
