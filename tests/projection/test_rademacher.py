import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trakway.projection import rademacher
from trakway.projection.philox import philox
from trakway.projection.rademacher import Rademacher

KEY = 0x0123456789ABCDEF


def sign(i, j, key):
    """Entry (i, j) of the matrix of signs, by the definition."""
    words = philox(np.array([i % 2**32, i // 2**32, j // 128, 0], np.uint32), key)
    bits = sum(int(word) << (32 * position) for position, word in enumerate(words))
    return -1 if bits >> (j % 128) & 1 else 1


@given(row=st.integers(0, 2**40), dim=st.sampled_from([1, 31, 32, 127, 128, 129, 256, 1000]), data=st.data())
def test_signs_by_the_definition(row, dim, data):
    key = data.draw(st.integers(0, 2**63 - 1))
    signs = Rademacher(2**41, dim, key).signs(row, row + 2)
    assert signs.shape == (2, dim)
    assert signs.dtype == np.float32
    for i in (row, row + 1):
        for j in {0, dim - 1, data.draw(st.integers(0, dim - 1)), data.draw(st.integers(0, dim - 1))}:
            assert signs[i - row, j] == sign(i, j, key)


@pytest.mark.parametrize("dim", [1, 127, 128, 129, 1000])
def test_every_sign_of_a_matrix(dim):
    # 3 rows on either side of 2^32, where the counter's second word begins.
    rows = range(2**32 - 3, 2**32 + 3)
    expected = [[sign(i, j, KEY) for j in range(dim)] for i in rows]
    np.testing.assert_array_equal(Rademacher(2**33, dim, KEY).signs(rows.start, rows.stop), expected)


@pytest.mark.parametrize("dim", [1, 127, 128, 129, 1000])
@pytest.mark.parametrize("height", [1, 7, 40])
@pytest.mark.parametrize("batch", [1, 4, 5])
def test_features_are_the_product_with_the_matrix(whole_numbers, monkeypatch, dim, height, batch):
    monkeypatch.setattr(rademacher, "BLOCK_ENTRIES", height * dim)
    projection = Rademacher(40, dim, KEY)
    gradients = whole_numbers(batch, 40)
    product = gradients.double().numpy() @ projection.signs(0, 40).astype(np.float64)
    features = projection(gradients)
    assert features.dtype == torch.float32
    # The sums of whole numbers are exact, whatever the height of a block: one rounding remains.
    np.testing.assert_allclose(features.numpy(), product / np.sqrt(dim), rtol=3e-7, atol=0)


def test_a_block_has_at_least_one_row(whole_numbers, monkeypatch):
    gradients = whole_numbers(3, 30)
    expected = Rademacher(30, 50, KEY)(gradients)
    monkeypatch.setattr(rademacher, "BLOCK_ENTRIES", 10)  # less than one row
    assert torch.equal(Rademacher(30, 50, KEY)(gradients), expected)


@given(parts=st.lists(st.integers(1, 5), min_size=1, max_size=4), height=st.integers(1, 50))
def test_features_do_not_depend_on_batch_and_block(parts, height):
    gradients = torch.from_numpy(np.random.default_rng(0).integers(-9, 10, (20, 40)).astype(np.float32))[: sum(parts)]
    expected = Rademacher(40, 16, KEY)(gradients)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rademacher, "BLOCK_ENTRIES", height * 16)
        features = torch.cat([Rademacher(40, 16, KEY)(part) for part in gradients.split(parts)])
    assert torch.equal(features, expected)


def test_gradients_are_left_as_they_were(whole_numbers):
    gradients = whole_numbers(3, 30)
    before = gradients.clone()
    Rademacher(30, 8, KEY)(gradients)
    assert torch.equal(gradients, before)


def test_half_of_the_signs_are_minus_and_neighbours_independent():
    signs = Rademacher(512, 512, KEY).signs(0, 512).astype(np.float64)
    for pairs in (signs, signs[1:] * signs[:-1], signs[:, 1:] * signs[:, :-1], signs[:, 128:] * signs[:, :-128]):
        assert abs(pairs.mean()) < 5 / np.sqrt(pairs.size)
