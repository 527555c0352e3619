import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trakway.errors import UserError
from trakway.projection.build import build_projection
from trakway.projection.factored import Factored, side_sizes
from trakway.projection.reference import factored_matrix
from trakway.projection.sjlt import SJLT

KEYS = [0x0123456789ABCDEF, 77, 2**62 + 1]
SHAPES = [(3,), (5, 40), (2, 7), (4,), (35, 2)]  # more rows of A than a unit of signs has, and of B in all
PARAMETERS = sum(map(math.prod, SHAPES))

sizes = st.integers(1, 12)
any_shapes = st.lists(st.one_of(st.tuples(sizes), st.tuples(sizes, sizes)), min_size=1, max_size=5)


@given(st.integers(1, 5000))
def test_sides_are_the_nearest_factors(dim):
    small, large = side_sizes(dim)
    assert small <= large
    assert small * large == dim
    assert not any(dim % size == 0 for size in range(small + 1, math.isqrt(dim) + 1))


@given(
    shapes=any_shapes, dim=st.integers(1, 150), batch=st.integers(0, 20), keys=st.tuples(*3 * [st.integers(0, 2**63)])
)
def test_features_are_the_product_with_the_reference(shapes, dim, batch, keys):
    projection = Factored(shapes, dim, keys)
    rng = np.random.default_rng(dim)
    gradients = torch.from_numpy(rng.integers(-9, 10, (batch, projection.parameters)).astype(np.float32))
    before = gradients.clone()
    features = projection(gradients)
    assert features.dtype == torch.float32
    expected = gradients.double().numpy() @ factored_matrix(shapes, dim, keys)
    np.testing.assert_allclose(features.numpy(), expected, rtol=1e-6, atol=1e-5)
    assert torch.equal(gradients, before)
    for dtype in (torch.float64, torch.bfloat16):  # small whole numbers fit them all
        assert torch.equal(projection(gradients.to(dtype)), features)
    assert torch.equal(projection(gradients.T.contiguous().T), features)


def test_features_of_real_numbers_in_float64():
    gradients = np.random.default_rng(0).standard_normal((6, PARAMETERS)).astype(np.float32)
    expected = gradients.astype(np.float64) @ factored_matrix(SHAPES, 60, KEYS)
    features = Factored(SHAPES, 60, KEYS)(torch.from_numpy(gradients)).numpy()
    error = np.linalg.norm(features - expected, axis=1)
    np.testing.assert_array_less(error, 1e-6 * np.linalg.norm(gradients, axis=1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sides_are_signs_of_the_size_of_each_matrix(dtype):
    sides = Factored(SHAPES, 6, KEYS).sides(torch.zeros(1, dtype=dtype))
    for shape, pair in zip(SHAPES, sides, strict=True):
        if len(shape) == 1:
            assert pair is None
            continue
        assert [side.shape for side in pair] == [(shape[0], 2), (shape[1], 3)]
        assert all(side.dtype == dtype and (side.abs() == 1).all() for side in pair)


@pytest.mark.parametrize("shapes", [[(3, 4)], [(5,)]])
def test_one_of_the_two_parts_alone(shapes, whole_numbers):
    projection = Factored(shapes, 4, KEYS)
    gradients = whole_numbers(3, projection.parameters)
    expected = gradients.double().numpy() @ factored_matrix(shapes, 4, KEYS)
    np.testing.assert_allclose(projection(gradients).numpy(), expected, rtol=1e-6)
    assert isinstance(projection.others, SJLT) == (shapes == [(5,)])


def test_on_average_the_projection_keeps_inner_products():
    shapes, dim, draws = [(2, 3), (2,), (3, 2), (1,)], 20, 1500  # sides of 4 and 5
    where = [(n, *place) for n, shape in enumerate(shapes) for place in np.ndindex(shape)]
    p = len(where)
    products = np.empty((draws, p, p))
    for member in range(draws):
        projection = build_projection({"kind": "factored", "dim": dim}, p, 0, member, shapes)
        matrix = projection(torch.eye(p)).double().numpy()
        products[member] = matrix @ matrix.T
    # Rows that share an output meet in k_in columns only, those that share an input in k_out, all others in k.
    variance = np.full((p, p), 1 / dim)
    for one, (n, *place) in enumerate(where):
        for other, (m, *second) in enumerate(where):
            if n == m and len(place) == 2:
                same = [x == y for x, y in zip(place, second, strict=True)]
                variance[one, other] = {(True, True): 0, (True, False): 1 / 5, (False, True): 1 / 4}.get(
                    tuple(same), 1 / dim
                )
    np.fill_diagonal(variance, 0)
    error = np.abs(products.mean(0) - np.eye(p))
    assert (error <= 5 * np.sqrt(variance / draws) + 1e-6).all()
    np.testing.assert_allclose(products.var(0), variance, atol=0.25 / 4)
    pooled = [(products.var(0)[variance == value].mean(), value) for value in (1 / 4, 1 / 5, 1 / dim)]
    for found, value in pooled:
        np.testing.assert_allclose(found, value, rtol=0.05)


def test_linear(whole_numbers):
    projection = Factored(SHAPES, 12, KEYS)
    one, other = whole_numbers(5, PARAMETERS, seed=1), whole_numbers(5, PARAMETERS, seed=2)
    expected = 3 * projection(one) - projection(other)
    torch.testing.assert_close(projection(3 * one - other), expected, rtol=1e-5, atol=1e-4)
    assert torch.equal(projection(torch.zeros(2, PARAMETERS)), torch.zeros(2, 12))


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
@pytest.mark.parametrize("column", [1, 17, PARAMETERS - 1])
def test_what_is_not_finite_shows_and_stays_in_its_own_row(bad, column):
    gradients = torch.randn(5, PARAMETERS, generator=torch.Generator().manual_seed(0))
    projection = Factored(SHAPES, 30, KEYS)
    expected = projection(gradients)
    gradients[3, column] = bad
    features = projection(gradients)
    others = torch.arange(5) != 3
    torch.testing.assert_close(features[others], expected[others])
    assert not torch.isfinite(features[3]).all()


def test_what_does_not_fit_is_an_error():
    settings = {"kind": "factored", "dim": 4}
    with pytest.raises(UserError, match="projection.precision: found bfloat16 with kind factored, .* allowed: float32"):
        build_projection(settings | {"precision": "bfloat16"}, 6, 0, 0, [(2, 3)])
    with pytest.raises(UserError, match="projection.dim: found 0 for 6 parameters"):
        build_projection(settings | {"dim": 0}, 6, 0, 0, [(2, 3)])
    for shapes in (None, [(2, 3), (1,)]):
        with pytest.raises(ValueError, match="factored needs those of all 6 parameters"):
            build_projection(settings, 6, 0, 0, shapes)
