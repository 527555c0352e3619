"""On a GPU: the same products as on the CPU, the same bits every time, on whatever stream."""

import numpy as np
import pytest
import torch

from trakway.errors import UserError
from trakway.projection.gpu import available, kernels, rademacher, sjlt
from trakway.projection.rademacher import Rademacher
from trakway.projection.sjlt import SJLT

KEY = 0x0123456789ABCDEF
on_gpu = pytest.mark.skipif(not available(), reason="no GPU (sm_80 or newer) with CuPy here")
DTYPES = [torch.float32, torch.bfloat16, torch.float16]


def draw(batch, parameters, dtype):
    return torch.randn(batch, parameters, generator=torch.Generator().manual_seed(1)).to(dtype)


@on_gpu
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("batch", "parameters", "dim"), [(1, 1, 1), (7, 1001, 100), (16, 4099, 300), (32, 70001, 1000), (100, 77562, 1024)]
)
def test_dense_agrees_with_the_cpu(dtype, batch, parameters, dim):
    gradients = draw(batch, parameters, dtype)
    expected = Rademacher(parameters, dim, KEY)(gradients.float())
    found = rademacher(gradients.cuda(), dim, KEY).cpu()
    assert (torch.linalg.norm(found - expected, dim=1) <= 2**-15 * torch.linalg.norm(expected, dim=1)).all()


@on_gpu
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("batch", "parameters", "dim", "nonzeros"),
    [(1, 1, 1, 1), (7, 10001, 100, 2), (5, 70001, 2000, 1), (3, 77562, 4096, 1), (2, 70000, 16384, 1)],
)
def test_sparse_agrees_with_the_cpu(dtype, batch, parameters, dim, nonzeros):
    gradients = draw(batch, parameters, dtype)
    expected = SJLT(parameters, dim, KEY, nonzeros)(gradients.float())
    found = sjlt(gradients.cuda(), dim, KEY, nonzeros).cpu()
    assert (torch.linalg.norm(found - expected, dim=1) <= 1e-5 * torch.linalg.norm(expected, dim=1)).all()


@on_gpu
def test_the_same_bits_every_time_on_another_stream_too():
    gradients = draw(40, 200001, torch.float32).cuda()
    stream = torch.cuda.Stream()
    for function in (rademacher, sjlt):
        first = function(gradients, 1000, KEY)
        torch.cuda.synchronize()
        with torch.cuda.stream(stream):
            second = function(gradients * 1, 1000, KEY)
        assert torch.equal(first, second)


@on_gpu
def test_a_faulty_row_is_named():
    gradients = draw(5, 1000, torch.float32).cuda()
    gradients[3, 500] = float("nan")
    for function in (rademacher, sjlt):
        with pytest.raises(UserError, match="in row 3 of a batch of 5"):
            function(gradients, 100, KEY)


def test_without_cupy_the_error_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cupy", None)
    assert not kernels.available()
    with pytest.raises(UserError, match="pip install"):
        kernels.import_cupy()


def test_tensors_on_a_cpu_are_refused():
    with pytest.raises(ValueError, match="on a GPU"):
        rademacher(torch.zeros(2, 3), 4, KEY)
    with pytest.raises(ValueError, match="on a GPU"):
        sjlt(torch.zeros(2, 3), 4, KEY)


def test_key_words():
    assert kernels.key_words(0x0123456789ABCDEF) == (np.uint32(0x89ABCDEF), np.uint32(0x01234567))
