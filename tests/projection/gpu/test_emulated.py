"""The kernels' own source, run on a CPU with the data movements of the PTX ISA, against the definition."""

import math

import numpy as np
import pytest
import torch

from trakway.errors import UserError
from trakway.projection.gpu import schedule
from trakway.projection.gpu.dense import rademacher
from trakway.projection.gpu.sparse import sjlt
from trakway.projection.philox import philox
from trakway.projection.rademacher import Rademacher
from trakway.projection.sjlt import SJLT

KEY = 0x0123456789ABCDEF


def counters(*parts):
    return np.stack(np.broadcast_arrays(*(np.asarray(part, np.uint32) for part in parts)), axis=-1)


def dense_matrix(parameters, dim, key=KEY):
    """√k·P entry by entry, from the definition alone."""
    i, j = np.arange(parameters)[:, None], np.arange(dim)[None]
    r, c = i % 32, j % 128
    lane = 4 * (c % 8) + r % 8 // 2
    words = philox(counters(i // 32, 0, j // 128, lane), key)
    word = np.take_along_axis(words, np.broadcast_to(2 * (r // 16) + r // 8 % 2, lane.shape)[..., None], -1)[..., 0]
    return 1.0 - 2.0 * (word >> (c // 8 + 16 * (r % 2)).astype(np.uint32) & 1)


def sparse_matrix(parameters, dim, nonzeros, key=KEY):
    """√s·P, from the definition alone."""
    matrix = np.zeros((parameters, dim))
    i = np.arange(parameters)
    for entry in range(nonzeros):
        words = philox(counters(i, 0, entry, 1), key).astype(np.uint64)
        np.add.at(
            matrix, (i, (words[:, 0] * np.uint64(dim) >> np.uint64(32)).astype(int)), 1.0 - 2.0 * (words[:, 1] & 1)
        )
    return matrix


def assert_dense(gradients, dim, tolerance=2**-15):
    found = rademacher(gradients, dim, KEY)
    exact = gradients.double().numpy()
    expected = exact @ dense_matrix(exact.shape[1], dim) / math.sqrt(dim)
    scale = np.linalg.norm(exact, axis=1, keepdims=True) + 1e-300
    assert found.shape == expected.shape
    assert np.abs((found.numpy() - expected) / scale * math.sqrt(dim)).max() < tolerance


def draw(batch, parameters, dtype=torch.float32, seed=0):
    return torch.randn(batch, parameters, generator=torch.Generator().manual_seed(seed)).to(dtype)


@pytest.mark.parametrize(
    ("batch", "parameters", "dim"),
    [(1, 1, 1), (1, 31, 2), (2, 33, 127), (8, 65, 128), (9, 130, 129), (17, 77, 257), (3, 66, 1000), (33, 63, 640)],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_every_shape_gives_the_defined_product(emulator, batch, parameters, dim, dtype):
    assert_dense(draw(batch, parameters, dtype), dim, 2**-19 if dtype != torch.float32 else 2**-15)


def test_unit_vectors_give_the_signs_themselves(emulator):
    parameters, dim = 100, 300
    found = rademacher(torch.eye(parameters), dim, KEY).numpy() * math.sqrt(dim)
    np.testing.assert_allclose(found, dense_matrix(parameters, dim), rtol=1e-6)


def test_every_dense_kernel_is_tried(emulator):
    wanted = {name for name in schedule.all_kernels() if name.startswith("dense<")}
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        for batch in (8, 16, 24, 40):
            for dim in (100, 300):
                assert_dense(draw(batch, 96, dtype), dim)
    assert wanted == {name for name in emulator.launched if name.startswith("dense<")}


@pytest.mark.parametrize("blocks", [1, 3, 2048])
@pytest.mark.parametrize("dim", [3, 260])
def test_splits_and_flushes_add_up(emulator, monkeypatch, blocks, dim):
    monkeypatch.setattr(schedule, "BLOCKS", blocks)
    parameters = 6301 if dim > 3 else 17000
    plan = schedule.dense("float32", 1, parameters, dim)
    assert plan.splits == min(blocks, -(-parameters // 2048))
    assert_dense(draw(1, parameters).abs() + 1, dim)


@pytest.mark.parametrize("offset", [0, 1])
def test_rows_may_lie_anywhere(emulator, offset):
    for dtype in (torch.float32, torch.bfloat16):
        assert_dense(draw(5, 203, dtype)[:, offset : offset + 150], 20)
        assert_dense(draw(150, 5, dtype).T, 20)


def test_large_and_tiny_numbers_in_one_row(emulator):
    gradients = draw(4, 200) * 1e-9
    gradients[1, 7] = 1e6
    gradients[2] *= 1e6 / 1e-9
    assert_dense(gradients, 40)


def test_the_split_keeps_sixteen_bits_of_every_entry(emulator):
    values = (draw(1, 4096).double() * 10.0 ** torch.linspace(-30, 30, 4096)).float()[0]
    found = rademacher(torch.diag(values[::32]), 1, KEY).numpy()[:, 0]
    expected = values[::32].double().numpy() * dense_matrix(128, 1)[:, 0]
    assert np.abs(found / expected - 1).max() <= 2**-16


@pytest.mark.parametrize("fault", [float("inf"), float("-inf"), float("nan")])
def test_a_faulty_row_is_named_and_leaves_the_others_alone(emulator, fault):
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        gradients = draw(5, 100, dtype)
        for function, dim in ((rademacher, 20), (rademacher, 300), (sjlt, 20)):
            clean = function(gradients, dim, KEY)
            broken = gradients.clone()
            broken[3, 50] = fault
            with pytest.raises(UserError, match="in row 3 of a batch of 5"):
                function(broken, dim, KEY)
            found = function(broken, dim, KEY, check=False)
            others = [0, 1, 2, 4]
            assert torch.equal(found[others], clean[others])
            assert not torch.isfinite(found[3]).all()


def test_whole_numbers_give_the_same_bits_as_on_the_cpu(emulator, whole_numbers):
    gradients = whole_numbers(6, 5000)
    for dim in (64, 300):  # 64: its square root is exact, so nothing is rounded anywhere
        cpu, gpu = Rademacher(5000, dim, KEY)(gradients), rademacher(gradients, dim, KEY)
        assert torch.equal(cpu, gpu) if dim == 64 else torch.allclose(cpu, gpu, rtol=1e-6, atol=0)
    assert torch.equal(SJLT(5000, 77, KEY, 1)(gradients), sjlt(gradients, 77, KEY, 1))
    assert torch.equal(SJLT(5000, 77, KEY, 4)(gradients), sjlt(gradients, 77, KEY, 4))


@pytest.mark.parametrize("project", [rademacher, sjlt])
def test_results_go_where_asked(emulator, project):
    gradients, out = draw(3, 50), torch.empty(3, 10)
    assert project(gradients, 10, KEY, out=out) is out
    assert torch.equal(out, project(gradients, 10, KEY))
    for other in (torch.empty(3, 11), torch.empty(3, 10, dtype=torch.float64), torch.empty(10, 3).T):
        with pytest.raises(ValueError, match="out: found"):
            project(gradients, 10, KEY, out=other)


def test_an_empty_batch(emulator):
    assert rademacher(torch.empty(0, 5), 3, KEY).shape == (0, 3)
    assert sjlt(torch.empty(0, 5), 3, KEY).shape == (0, 3)


@pytest.mark.parametrize(
    ("batch", "parameters", "dim", "nonzeros"),
    [(1, 1, 1, 1), (5, 4097, 3, 1), (4, 9000, 1000, 2), (3, 9001, 1100, 1), (2, 20000, 4000, 1), (1, 13000, 9000, 3)],
)
def test_every_sparse_shape_gives_the_defined_product(emulator, batch, parameters, dim, nonzeros):
    gradients = draw(batch, parameters)
    found = sjlt(gradients, dim, KEY, nonzeros).numpy()
    matrix = sparse_matrix(parameters, dim, nonzeros)
    expected = gradients.double().numpy() @ matrix / math.sqrt(nonzeros)
    scale = np.abs(gradients.double().numpy()) @ np.abs(matrix) + 1e-300
    assert np.abs((found - expected) / scale).max() < 1e-6
    assert len({name for name in emulator.launched if name.startswith("sparse<")}) == 1


def test_sparse_splits_and_formats(emulator, monkeypatch):
    for blocks in (1, 2, 2048):
        monkeypatch.setattr(schedule, "BLOCKS", blocks)
        for dtype in (torch.bfloat16, torch.float16):
            gradients = draw(3, 13001, dtype)[:, 1:]
            expected = gradients.double().numpy() @ sparse_matrix(13000, 50, 1)
            np.testing.assert_allclose(sjlt(gradients, 50, KEY).numpy(), expected, rtol=1e-5, atol=1e-4)


def test_listing_made_in_parts_is_the_same(emulator, monkeypatch):
    from trakway.projection.gpu import listing

    whole = listing.listing(torch.device("cpu"), 10000, 30, KEY, 2)
    listing.listing.cache_clear()
    monkeypatch.setattr(listing, "ENTRIES_AT_A_TIME", 8192)
    parts = listing.listing(torch.device("cpu"), 10000, 30, KEY, 2)
    assert torch.equal(whole.offsets, parts.offsets)
    assert torch.equal(whole.entries, parts.entries)
