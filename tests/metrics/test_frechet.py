"""Tests of the distances against their definitions, and on normal distributions whose distance is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.linalg import sqrtm

from trakway.metrics.frechet import coupled_distance, frechet_distance, kernel_distance


def by_definition(first, second):
    covariances = [np.atleast_2d(np.cov(values, rowvar=False)) for values in (first, second)]
    gap = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum()
    return gap + np.trace(sum(covariances) - 2 * sqrtm(covariances[0] @ covariances[1]).real)


def kernel_by_loops(first, second):
    def k(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3

    def within(values):
        pairs = [k(x, y) for i, x in enumerate(values) for j, y in enumerate(values) if i != j]
        return sum(pairs) / len(pairs)

    between = [k(x, y) for x in first for y in second]
    return within(first) + within(second) - 2 * sum(between) / len(between)


@st.composite
def samples(draw):
    """Two sets of different size, with features of one width, whole numbers: equal rows are frequent."""
    width = draw(st.integers(1, 5))
    values = st.integers(-3, 3).map(float)
    return [draw(arrays.arrays(np.float64, (draw(st.integers(2, 8)), width), elements=values)) for _ in range(2)]


class TestFrechet:
    @pytest.mark.parametrize(("sizes", "width"), [((40, 60), 1), ((40, 60), 7), ((300, 30), 20)])
    def test_definition(self, sizes, width):
        rng = np.random.default_rng(0)
        first, second = (rng.standard_normal((size, width)) @ rng.standard_normal((width, width)) for size in sizes)
        second += 0.5
        assert frechet_distance(first, second) == pytest.approx(by_definition(first, second), rel=1e-9)

    def test_by_hand(self):
        # Means 0 and 3, variances 2 and 8: 9 + 2 + 8 - 2 * 4.
        assert frechet_distance(np.array([[-1.0], [1.0]]), np.array([[1.0], [5.0]])) == pytest.approx(11)

    def test_known_normals(self):
        """Of normals with commuting covariances it is |m1 - m2|² + Σ (s1 - s2)², whatever axes they share."""
        rng = np.random.default_rng(0)
        first, second, shift = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 1.0]), np.array([0.0, 0.5, 1.0])
        axes = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        drawn = [
            (rng.standard_normal((200_000, 3)) * scale + mean) @ axes for scale, mean in ((first, 0), (second, shift))
        ]
        assert frechet_distance(*drawn) == pytest.approx(1.25 + 1 + 4, rel=0.02)

    def test_fewer_images_than_features(self):
        """Where the covariances have no full rank, in axes that the other set does not share."""
        first, second = np.zeros((3, 6)), np.zeros((3, 6))
        first[:, 0], second[:, 1] = [-1, 0, 1], [-2, 0, 2]  # variances 1 and 4 in different directions
        assert frechet_distance(first, second) == pytest.approx(1 + 4, rel=1e-12)
        rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0]
        assert frechet_distance(first @ rotation, second @ rotation) == pytest.approx(5, rel=1e-12)

    @given(samples())
    def test_properties(self, drawn):
        first, second = drawn
        distance = frechet_distance(first, second)
        assert distance >= 0
        assert frechet_distance(second, first) == pytest.approx(distance, abs=1e-9)
        assert frechet_distance(first[::-1], second + 0.0) == pytest.approx(distance, abs=1e-9)
        assert frechet_distance(first + 7, second + 7) == pytest.approx(distance, abs=1e-9)
        assert frechet_distance(first, first) == pytest.approx(0, abs=1e-12)
        assert frechet_distance(first, first + 2) == pytest.approx(4 * first.shape[1], rel=1e-9)

    def test_equal_sets_are_at_0_at_any_scale(self):
        values = np.random.default_rng(0).standard_normal((100, 64)).astype(np.float32) * 1000
        assert frechet_distance(values, values[::-1]) < 1e-12 * np.square(values, dtype=np.float64).sum()


class TestKernel:
    @given(samples())
    def test_definition(self, drawn):
        first, second = drawn
        assert kernel_distance(first, second) == pytest.approx(kernel_by_loops(first, second), rel=1e-9, abs=1e-9)
        assert kernel_distance(second, first) == pytest.approx(kernel_distance(first, second), rel=1e-9, abs=1e-9)

    def test_by_hand(self):
        # k = (xy + 1)³: within 1 and 8 (0·0 and 1·1), between 1.
        assert kernel_distance(np.array([[0.0], [0.0]]), np.array([[1.0], [1.0]])) == pytest.approx(1 + 8 - 2)

    def test_is_unbiased(self):
        """The mean over small sets of one distribution is 0, and of two distributions that of large sets."""
        rng = np.random.default_rng(0)

        def mean_and_error(size, shift, times):
            found = [
                kernel_distance(rng.standard_normal((size, 3)), rng.standard_normal((size + 2, 3)) + shift)
                for _ in range(times)
            ]
            return np.mean(found), np.std(found) / np.sqrt(times)

        mean, error = mean_and_error(4, 0, 3000)
        assert abs(mean) < 4 * error
        small, error = mean_and_error(4, 0.7, 3000)
        large, other = mean_and_error(500, 0.7, 30)
        assert abs(small - large) < 4 * np.hypot(error, other)
        assert small > 10 * error

    def test_is_below_0_now_and_then(self):
        rng = np.random.default_rng(0)
        found = [kernel_distance(*rng.standard_normal((2, 20, 4))) for _ in range(50)]
        assert 10 < np.sum(np.less(found, 0)) < 40


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
class TestBoth:
    def test_are_computed_in_float64(self, distance):
        rng = np.random.default_rng(0)
        first, second = rng.standard_normal((2, 50, 8)).astype(np.float32)
        assert distance(first, second) == distance(first.astype(np.float64), second.astype(np.float64))

    @pytest.mark.parametrize("shapes", [((1, 3), (5, 3)), ((5, 3), (1, 3)), ((5, 3), (5, 4)), ((5,), (5, 1))])
    def test_features_that_cannot_be_compared(self, distance, shapes):
        with pytest.raises(ValueError, match="at least 2 images of equal width"):
            distance(*map(np.zeros, shapes))


class TestCoupled:
    def test_by_hand(self):
        first, second = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[3.0, 4.0], [1.0, 2.0]])
        assert coupled_distance(first, second) == pytest.approx(25 / 2)
        assert coupled_distance(first, first) == 0

    def test_it_bounds_the_squared_distance_of_the_means(self):
        first, second = np.random.default_rng(0).standard_normal((2, 50, 4))
        gap = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
        assert coupled_distance(first, second) > gap

    def test_other_noise(self):
        with pytest.raises(ValueError, match="not drawn with the same noise"):
            coupled_distance(np.zeros((3, 2)), np.zeros((4, 2)))
