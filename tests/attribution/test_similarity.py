import numpy as np

from trakway.attribution.similarity import class_sign, unit


def test_unit():
    rows = np.array([[3, 4], [0, 0], [0, -2]])
    found = unit(rows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0], [0, -1]])


def test_class_sign():
    labels = np.array([0, 2, 0]), np.array([0, 1, 2])
    np.testing.assert_array_equal(class_sign(labels, slice(0, 2)), [[1, -1], [-1, -1], [-1, 1]])
    np.testing.assert_array_equal(class_sign(labels, slice(2, 3)), [[1], [-1], [-1]])


def test_without_classes_nothing_changes_sign():
    np.testing.assert_array_equal(np.full((3, 2), -4) * class_sign(None, slice(0, 2)), np.full((3, 2), -4))
