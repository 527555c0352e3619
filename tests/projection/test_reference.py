import numpy as np

from trakway.projection.philox import philox
from trakway.projection.reference import factored_matrix, matrix, rademacher_signs, sjlt_entries

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


def test_entries_of_the_factored_projection():
    # Two matrices among others; the second one's signs go on where the first one's end. k = 6 has sides of 2 and 3.
    shapes, keys = [(2,), (3, 4), (1,), (2, 2)], [KEY, KEY + 1, KEY + 2]
    found = factored_matrix(shapes, 6, keys)
    assert found.shape == (2 + 12 + 1 + 4, 6)
    row = 2
    for (outs, ins), o_start, i_start in (((3, 4), 0, 0), ((2, 2), 3, 4)):
        for o in range(outs):
            for i in range(ins):
                for a in range(2):
                    for b in range(3):
                        sign = (
                            rademacher_signs(o_start + o, 2, keys[0])[a] * rademacher_signs(i_start + i, 3, keys[1])[b]
                        )
                        assert found[row, 3 * a + b] == sign / np.sqrt(6)
                row += 1
        row += 1  # one of the others
    np.testing.assert_array_equal(found[[0, 1, 14]], matrix("sjlt", range(3), 6, keys[2]))
