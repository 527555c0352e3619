"""What must hold for every kind: odd shapes and types, gradients far too large, too small or not finite."""

import resource

import numpy as np
import pytest
import torch

from trakway.projection import base
from trakway.projection.rademacher import Rademacher
from trakway.projection.reference import matrix
from trakway.projection.sjlt import SJLT

KEY = 0x0123456789ABCDEF
KINDS = pytest.mark.parametrize("kind", [Rademacher, SJLT])


def reference(projection, rows=None):
    return matrix(type(projection).__name__.lower(), rows or range(projection.parameters), projection.dim, KEY)


@KINDS
@pytest.mark.parametrize(("parameters", "dim", "batch"), [(1, 1, 1), (1, 1000, 3), (1009, 1, 1), (211, 1000, 17)])
def test_odd_shapes(kind, parameters, dim, batch, whole_numbers):
    projection = kind(parameters, dim, KEY)
    gradients = whole_numbers(batch, parameters)
    expected = gradients.double().numpy() @ reference(projection)
    np.testing.assert_allclose(projection(gradients).numpy(), expected, rtol=3e-7, atol=1e-12)


@KINDS
def test_no_gradients_no_features(kind):
    assert kind(10, 8, KEY)(torch.empty(0, 10)).shape == (0, 8)


@KINDS
def test_the_layout_and_type_of_gradients_do_not_matter(kind, whole_numbers):
    projection = kind(300, 20, KEY)
    gradients = whole_numbers(18, 300)
    before = gradients.clone()
    expected = projection(gradients)
    assert torch.equal(gradients, before)
    assert torch.equal(projection(gradients.T.contiguous().T), expected)
    assert torch.equal(projection(torch.cat([gradients, gradients], 1)[:, 300:]), expected)
    assert torch.equal(projection(gradients.repeat_interleave(2, 0)[::2]), expected)
    for dtype in (torch.bfloat16, torch.float16, torch.float64):  # small whole numbers fit them all
        features = projection(gradients.to(dtype))
        assert features.dtype == torch.float32
        assert torch.equal(features, expected)


@KINDS
def test_copies_of_a_few_gradients_at_a_time_change_no_bit(kind, monkeypatch):
    gradients = torch.randn(50, 3000, generator=torch.Generator().manual_seed(0)).bfloat16()
    projection = kind(3000, 20, KEY)
    expected = projection(gradients)
    monkeypatch.setattr(base, "COPIED", 1)
    assert torch.equal(projection(gradients), expected)


@KINDS
def test_bfloat16_rounds_gradients_and_nothing_else(kind):
    gradients = torch.randn(5, 3000, generator=torch.Generator().manual_seed(0))
    expected, features = kind(3000, 64, KEY)(gradients), kind(3000, 64, KEY, precision="bfloat16")(gradients)
    assert torch.equal(features, kind(3000, 64, KEY)(gradients.bfloat16()))
    error = (features - expected).norm(dim=1) / gradients.norm(dim=1)
    assert (error < 2**-8).all()
    assert (error > 0).all()


@KINDS
def test_large_and_small_in_one_gradient(kind):
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(17, 5000, generator=generator)
    gradients *= torch.where(torch.rand(5000, generator=generator) < 0.5, 1e6, 1e-9)
    projection = kind(5000, 30, KEY)
    error = np.linalg.norm(projection(gradients).numpy() - gradients.double().numpy() @ reference(projection), axis=1)
    np.testing.assert_array_less(error, 1e-6 * gradients.double().norm(dim=1).numpy())
    # A gradient that is small all over stays exact relative to itself.
    gradients[3] *= 1e-20
    gradients[4] = 1e-9
    small = gradients[4].double().numpy() @ reference(projection)
    assert np.linalg.norm(projection(gradients)[4].numpy() - small) < 1e-6 * 1e-9 * np.sqrt(5000)


@KINDS
@pytest.mark.parametrize("bad", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("row", [0, 7, 20])
def test_what_is_not_finite_shows_and_stays_in_its_own_row(kind, bad, row):
    gradients = torch.randn(21, 3000, generator=torch.Generator().manual_seed(0))
    projection = kind(3000, 50, KEY)
    expected = projection(gradients)
    gradients[row, 2222] = bad
    features = projection(gradients)
    others = torch.arange(21) != row
    assert torch.equal(features[others], expected[others])
    assert not torch.isfinite(features[row]).all()


@KINDS
def test_parameters_beyond_memory_are_streamed(kind):
    # Hundreds of millions of coordinates that are one number in memory.
    parameters, dim = (300_000_000, 256) if kind is SJLT else (30_000_000, 8)
    gradients = torch.full((1, 1), 3.0).expand(2, parameters)
    projection = kind(parameters, dim, KEY)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    features = projection(gradients)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024
    # Fair signs: a feature is 3 √(p/k) times a standard normal number.
    assert (features.abs() < 3 * np.sqrt(parameters / dim) * 5).all()
    assert torch.equal(features[0], features[1])
    assert features.abs().max() > 3 * np.sqrt(parameters / dim) * 0.1


@KINDS
def test_the_last_coordinate_of_many_is_by_the_definition(kind):
    parameters = 3_000_017
    gradients = torch.zeros(1, parameters)
    gradients[0, -1] = 2
    projection = kind(parameters, 150, KEY)
    expected = 2 * reference(projection, range(parameters - 1, parameters))
    np.testing.assert_allclose(projection(gradients).numpy(), expected, rtol=3e-7)
