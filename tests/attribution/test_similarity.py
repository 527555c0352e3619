import numpy as np

from trakway.attribution.similarity import class_sign, unit


def test_unit():
    rows = np.array([[3, 4], [0, 0], [0, -2]])
    found = unit(rows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0], [0, -1]])


def test_class_sign():
    np.testing.assert_array_equal(class_sign(np.array([0, 2]), np.array([0, 1, 2])), [[1, -1, -1], [-1, -1, 1]])
