import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trakway.projection.rademacher import HEIGHT, WIDTH, Rademacher
from trakway.projection.reference import matrix, rademacher_signs

KEY = 0x0123456789ABCDEF


@given(row=st.integers(0, 2**40), dim=st.sampled_from([1, 31, 32, 127, 128, 129, 256, 1000]), data=st.data())
def test_signs_by_the_definition(row, dim, data):
    key = data.draw(st.integers(0, 2**63 - 1))
    rows = data.draw(st.integers(1, 70))
    signs = Rademacher(2**41, dim, key).signs(row, row + rows)
    assert signs.shape == (rows, dim)
    assert signs.dtype == np.float32
    for i in {row, row + rows - 1, row + data.draw(st.integers(0, rows - 1))}:
        np.testing.assert_array_equal(signs[i - row], rademacher_signs(i, dim, key))


@pytest.mark.parametrize("dim", [1, 127, 129, 300])
def test_every_sign_of_a_matrix(dim):
    # On either side of unit 2^32, where the counter's second word begins.
    rows = range(2**37 - 3, 2**37 + 35)
    expected = [rademacher_signs(i, dim, KEY) for i in rows]
    np.testing.assert_array_equal(Rademacher(2**38, dim, KEY).signs(rows.start, rows.stop), expected)


@pytest.mark.parametrize("parameters", [1, 31, 40, 100])
@pytest.mark.parametrize("dim", [1, 16, 129])
@pytest.mark.parametrize("batch", [1, 15, 16, 17, 33])
def test_features_are_the_product_with_the_reference(whole_numbers, parameters, dim, batch):
    gradients = whole_numbers(batch, parameters)
    product = gradients.double().numpy() @ matrix("rademacher", range(parameters), dim, KEY)
    features = Rademacher(parameters, dim, KEY)(gradients)
    assert features.dtype == torch.float32
    # The sums of whole numbers are exact: one rounding remains.
    np.testing.assert_allclose(features.numpy(), product, rtol=3e-7, atol=1e-12)


@pytest.mark.parametrize(("parameters", "dim"), [(3 * HEIGHT + 77, 1000), (HEIGHT, WIDTH + 5), (HEIGHT + 1, 1)])
def test_features_of_real_numbers_in_float64(parameters, dim):
    projection = Rademacher(parameters, dim, KEY)
    gradients = torch.randn(19, parameters, generator=torch.Generator().manual_seed(0))
    expected = gradients.double().numpy() @ projection.signs(0, parameters).astype(np.float64) / np.sqrt(dim)
    error = np.linalg.norm(projection(gradients).numpy() - expected, axis=1)
    assert (error < 1e-6 * np.linalg.norm(expected, axis=1)).all() or dim == 1
    np.testing.assert_array_less(error, 1e-6 * np.linalg.norm(gradients.numpy(), axis=1))


@settings(deadline=None)
@given(parts=st.lists(st.integers(1, 20), min_size=1, max_size=4), parameters=st.sampled_from([40, HEIGHT + 3]))
def test_features_do_not_depend_on_the_batch(parts, parameters):
    # Each gradient has a lane of its own, hence the very bits.
    gradients = torch.randn(sum(parts), parameters, generator=torch.Generator().manual_seed(0))
    projection = Rademacher(parameters, 16, KEY)
    assert torch.equal(torch.cat([projection(part) for part in gradients.split(parts)]), projection(gradients))


def test_half_of_the_signs_are_minus_and_neighbours_independent():
    signs = Rademacher(512, 512, KEY).signs(0, 512).astype(np.float64)
    for pairs in (signs, signs[1:] * signs[:-1], signs[:, 1:] * signs[:, :-1], signs[:, 128:] * signs[:, :-128]):
        assert abs(pairs.mean()) < 5 / np.sqrt(pairs.size)
