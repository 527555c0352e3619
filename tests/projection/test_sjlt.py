import weakref

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trakway.errors import UserError
from trakway.projection import sjlt
from trakway.projection.reference import matrix, sjlt_entries
from trakway.projection.sjlt import SJLT

KEY = 0x0123456789ABCDEF


@given(
    start=st.integers(0, 2**40),
    dim=st.integers(1, 300),
    nonzeros=st.integers(1, 5),
    key=st.integers(0, 2**63 - 1),
)
def test_entries_by_the_definition(start, dim, nonzeros, key):
    if nonzeros > dim:
        with pytest.raises(UserError, match=rf"projection.nonzeros: found {nonzeros}, allowed: 1 to .* = {dim}"):
            SJLT(2**41, dim, key, nonzeros)
        return
    columns, signs = SJLT(2**41, dim, key, nonzeros).entries(start, start + 9)
    for i in range(9):
        entries = sjlt_entries(start + i, dim, key, nonzeros)
        assert list(zip(columns[:, i], signs[:, i], strict=True)) == entries


@pytest.mark.parametrize("batch", [1, 2, 15, 16, 17, 40])
@pytest.mark.parametrize("nonzeros", [1, 2, 4])
@pytest.mark.parametrize(("parameters", "dim"), [(1, 4), (50, 13), (50, 16)])
def test_features_are_the_product_with_the_reference(whole_numbers, batch, nonzeros, parameters, dim):
    gradients = whole_numbers(batch, parameters)
    product = gradients.double().numpy() @ matrix("sjlt", range(parameters), dim, KEY, nonzeros)
    features = SJLT(parameters, dim, KEY, nonzeros)(gradients)
    assert features.dtype == torch.float32
    np.testing.assert_allclose(features.numpy(), product, rtol=3e-7, atol=1e-12)


def test_at_least_one_entry_a_row():
    with pytest.raises(UserError, match="projection.nonzeros: found 0, allowed: 1 to projection.dim = 8"):
        SJLT(10, 8, KEY, 0)


def test_features_of_real_numbers_in_float64():
    gradients = np.random.default_rng(0).standard_normal((6, 3000)).astype(np.float32)
    expected = gradients.astype(np.float64) @ matrix("sjlt", range(3000), 40, KEY, 2)
    features = SJLT(3000, 40, KEY, 2)(torch.from_numpy(gradients)).numpy()
    error = np.linalg.norm(features - expected, axis=1)
    np.testing.assert_array_less(error, 1e-6 * np.linalg.norm(expected, axis=1))


@given(st.lists(st.integers(1, 20), min_size=1, max_size=4))
def test_features_do_not_depend_on_the_batch(parts):
    # Real numbers: each gradient has a lane of its own, hence the very bits.
    gradients = torch.randn(sum(parts), 70, generator=torch.Generator().manual_seed(0))
    projection = SJLT(70, 16, KEY, 2)
    assert torch.equal(torch.cat([projection(part) for part in gradients.split(parts)]), projection(gradients))


@pytest.mark.parametrize("nonzeros", [1, 3])
def test_entries_kept_or_made_again_are_the_same(whole_numbers, monkeypatch, nonzeros):
    parameters = 5 * sjlt.SLAB + 7
    gradients = whole_numbers(3, parameters)
    expected = SJLT(parameters, 8, KEY, nonzeros)(gradients)
    monkeypatch.setattr(sjlt, "KEPT", 100)
    monkeypatch.setattr(sjlt, "BLOCK", 10)  # blocks of a slab
    projection = SJLT(parameters, 8, KEY, nonzeros)
    assert torch.equal(projection(gradients), expected)
    assert projection._kept is None


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("nonzeros", [1, 4])
def test_the_sparse_product_of_other_devices_is_the_same_matrix(whole_numbers, monkeypatch, nonzeros):
    gradients = whole_numbers(5, 60)
    projection = SJLT(60, 8, KEY, nonzeros)
    for block in (60, 17):
        monkeypatch.setattr(sjlt, "KEPT", block)
        other = projection._by_blocks(gradients) / np.sqrt(nonzeros)  # runs on any device
        torch.testing.assert_close(other, projection(gradients), rtol=3e-7, atol=0)


def test_columns_are_uniform_and_signs_fair():
    columns, signs = (x[0] for x in SJLT(20000, 10, KEY).entries(0, 20000))
    counts = np.bincount(columns, minlength=10)
    assert len(counts) == 10
    assert np.abs(counts - 2000).max() < 5 * np.sqrt(20000 * 0.1 * 0.9)
    assert abs(signs.mean()) < 5 / np.sqrt(20000)
    # Nothing ties the sign to the column.
    for column in range(10):
        assert abs(signs[columns == column].mean()) < 5 / np.sqrt((columns == column).sum())


@given(st.lists(st.integers(0, 900), min_size=1, max_size=9), st.integers(1, 40), st.integers(1, 2), st.data())
def test_gradients_in_parts_give_the_very_bits(sizes, batch, nonzeros, data):
    gradients = torch.randn(batch, sum(sizes), generator=torch.Generator().manual_seed(0))
    starts = np.cumsum([0, *sizes])
    kept = [data.draw(st.booleans()) for _ in sizes]
    for start, stop, there in zip(starts, starts[1:], kept, strict=False):
        gradients[:, start:stop] *= there
    parts = [(starts[i], gradients[:, starts[i] : starts[i + 1]]) for i in range(len(sizes)) if kept[i]]
    projection = SJLT(max(1, sum(sizes)), 3, KEY, nonzeros)  # of 1,024 coordinates to a float32 sum
    if sum(sizes):
        assert torch.equal(projection.of_parts(batch, parts), projection(gradients))


def test_parts_are_made_one_at_a_time(whole_numbers):
    gradients, held = whole_numbers(5, 60), []

    def parts():
        for start in range(0, 60, 20):
            part = gradients[:, start : start + 20].clone()
            held.append(weakref.ref(part))
            yield start, part
            del part
            assert held[-1]() is None

    assert torch.equal(SJLT(60, 8, KEY).of_parts(5, parts()), SJLT(60, 8, KEY)(gradients))
    assert len(held) == 3
