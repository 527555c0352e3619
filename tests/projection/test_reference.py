import numpy as np

from trakway.projection.philox import philox
from trakway.projection.reference import matrix, rademacher_signs, sjlt_entries

KEY = 0x0123456789ABCDEF


def test_each_bit_of_a_unit_is_one_entry():
    # From the bits to the entries, the other way round than the reference.
    for unit, group in ((0, 0), (5, 2)):
        seen = np.zeros((32, 128), int)
        signs = np.array([rademacher_signs(32 * unit + row, 128 * group + 128, KEY) for row in range(32)])
        for lane in range(32):
            words = philox(np.array([unit, 0, group, lane], np.uint32), KEY)
            for word in range(4):
                for bit in range(32):
                    row = 8 * word + 2 * (lane % 4) + bit // 16
                    column = 8 * (bit % 16) + lane // 4
                    seen[row, column] += 1
                    minus = int(words[word]) >> bit & 1
                    assert signs[row, 128 * group + column] == 1 - 2 * minus
        assert (seen == 1).all()


def test_matrices_hold_the_entries():
    rows = range(30, 36)
    dense = matrix("rademacher", rows, 130, KEY)
    assert np.allclose(np.abs(dense), 1 / np.sqrt(130))
    assert np.sign(dense[4, 129]) == rademacher_signs(34, 130, KEY)[129]
    sparse = matrix("sjlt", rows, 7, KEY, 3)
    for n, i in enumerate(rows):
        expected = np.zeros(7)
        for column, sign in sjlt_entries(i, 7, KEY, 3):
            expected[column] += sign / np.sqrt(3)
        np.testing.assert_allclose(sparse[n], expected)
