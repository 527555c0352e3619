import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trakway.errors import UserError
from trakway.projection.philox import philox
from trakway.projection.sjlt import SJLT

KEY = 0x0123456789ABCDEF


def matrix(parameters, dim, key, nonzeros):
    """Return √s·P, float64, by the definition."""
    dense = np.zeros((parameters, dim))
    for i in range(parameters):
        for entry in range(nonzeros):
            words = philox(np.array([i % 2**32, i // 2**32, entry, 1], np.uint32), key)
            dense[i, int(words[0]) * dim // 2**32] += -1 if words[1] & 1 else 1
    return dense


@pytest.mark.parametrize("batch", range(1, 10))
@pytest.mark.parametrize("nonzeros", [1, 2, 3, 4])
def test_features_are_the_product_with_the_matrix(whole_numbers, batch, nonzeros):
    gradients = whole_numbers(batch, 50)
    product = gradients.double().numpy() @ matrix(50, 13, KEY, nonzeros)
    features = SJLT(50, 13, KEY, nonzeros)(gradients)
    assert features.dtype == torch.float32
    np.testing.assert_allclose(features.numpy(), product / np.sqrt(nonzeros), rtol=3e-7, atol=0)


@given(
    parameters=st.integers(1, 60), dim=st.integers(1, 300), nonzeros=st.integers(1, 5), key=st.integers(0, 2**63 - 1)
)
def test_the_matrix_by_the_definition(parameters, dim, nonzeros, key):
    if nonzeros > dim:
        with pytest.raises(UserError, match=rf"projection.nonzeros: found {nonzeros}, allowed: 1 to .* = {dim}"):
            SJLT(parameters, dim, key, nonzeros)
        return
    found = SJLT(parameters, dim, key, nonzeros)(torch.eye(parameters)).double().numpy()
    expected = matrix(parameters, dim, key, nonzeros) / np.sqrt(nonzeros)
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=0)


def test_at_least_one_entry_a_row():
    with pytest.raises(UserError, match="projection.nonzeros: found 0, allowed: 1 to projection.dim = 8"):
        SJLT(10, 8, KEY, 0)


def test_features_of_real_numbers_in_float64():
    gradients = np.random.default_rng(0).standard_normal((6, 3000)).astype(np.float32)
    expected = gradients.astype(np.float64) @ matrix(3000, 40, KEY, 2) / np.sqrt(2)
    features = SJLT(3000, 40, KEY, 2)(torch.from_numpy(gradients)).numpy()
    np.testing.assert_allclose(features, expected, rtol=0, atol=2e-5)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_features_do_not_depend_on_the_batch(parts):
    # Real numbers: each example is summed alone, in one order, hence the very bits.
    gradients = torch.from_numpy(np.random.default_rng(0).standard_normal((36, 70)).astype(np.float32))[: sum(parts)]
    projection = SJLT(70, 16, KEY, 2)
    assert torch.equal(torch.cat([projection(part) for part in gradients.split(parts)]), projection(gradients))


def test_the_layout_of_the_gradients_does_not_matter(whole_numbers):
    gradients = whole_numbers(5, 30)
    projection = SJLT(30, 8, KEY, 2)
    assert torch.equal(projection(gradients.T.contiguous().T), projection(gradients))


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("nonzeros", [1, 4])
def test_the_sparse_product_of_a_gpu_is_the_same_matrix(whole_numbers, nonzeros):
    gradients = whole_numbers(5, 60)
    projection = SJLT(60, 8, KEY, nonzeros)
    on_gpu = projection._gpu(gradients) / np.sqrt(nonzeros)  # runs on any device
    assert on_gpu.is_contiguous()
    torch.testing.assert_close(on_gpu, projection(gradients), rtol=3e-7, atol=0)
    assert torch.equal(projection._gpu(gradients), projection._gpu(gradients))


def test_columns_are_uniform_and_signs_fair():
    projection = SJLT(20000, 10, KEY)
    counts = np.bincount(projection.columns[0], minlength=10)
    assert len(counts) == 10
    assert np.abs(counts - 2000).max() < 5 * np.sqrt(20000 * 0.1 * 0.9)
    assert abs(projection.signs.mean()) < 5 / np.sqrt(20000)
    # Nothing ties the sign to the column.
    for column in range(10):
        signs = projection.signs[0, projection.columns[0] == column]
        assert abs(signs.mean()) < 5 / np.sqrt(len(signs))
