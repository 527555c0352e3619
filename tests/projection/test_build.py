import numpy as np
import pytest
import torch

from trakway.errors import UserError
from trakway.projection.build import build_projection
from trakway.projection.factored import Factored
from trakway.projection.identity import Identity
from trakway.projection.rademacher import Rademacher
from trakway.projection.sjlt import SJLT

KINDS = [
    {"kind": "rademacher", "dim": 64},
    {"kind": "sjlt", "dim": 64, "nonzeros": 1},
    {"kind": "sjlt", "dim": 64, "nonzeros": 3},
    {"kind": "factored", "dim": 64},
]
SHAPES = [(2, 3), (2,), (1, 4)]


def matrix(projection, seed, member, parameters=12):
    return build_projection(projection, parameters, seed, member, SHAPES)(torch.eye(parameters)).double().numpy()


@pytest.mark.parametrize("projection", KINDS[:3])  # that of factored has its own test
def test_on_average_the_projection_keeps_inner_products(projection):
    draws = 400
    products = np.stack([p @ p.T for p in (matrix(projection, 0, member) for member in range(draws))])
    error = np.abs(products.mean(0) - np.eye(12))
    # A product of two rows has variance 1/k. So has, at most, the length of one: its entries may fall together.
    assert error.max() < 5 / np.sqrt(64 * draws)
    off = products[:, ~np.eye(12, dtype=bool)]
    np.testing.assert_allclose(off.var(), 1 / 64, rtol=0.1)


@pytest.mark.parametrize("projection", KINDS)
def test_projections_are_linear(projection, whole_numbers):
    project = build_projection(projection, 12, 0, 0, SHAPES)
    one, other = whole_numbers(5, 12, seed=1), whole_numbers(5, 12, seed=2)
    torch.testing.assert_close(project(3 * one - other), 3 * project(one) - project(other), rtol=1e-5, atol=1e-5)
    assert torch.equal(project(torch.zeros(2, 12)), torch.zeros(2, 64))


@pytest.mark.parametrize("projection", KINDS)
def test_every_member_and_seed_has_its_own(projection):
    matrices = {(seed, member): matrix(projection, seed, member) for seed in (0, 1) for member in (0, 1)}
    for name, first in matrices.items():
        np.testing.assert_array_equal(first, matrix(projection, *name))
        for other, second in matrices.items():
            if other != name:
                # Unrelated: the normalised inner product is of the order of 1/√(p·k).
                assert abs((first * second).sum()) / 12 < 6 / np.sqrt(12 * 64)


def test_kinds():
    kinds = [{"kind": kind, "dim": 5} for kind in ("rademacher", "sjlt", "factored")]
    kinds.append({"kind": "identity", "dim": None})
    built = [build_projection(kind, 9, 0, 0, [(2, 3), (3,)]) for kind in kinds]
    assert [type(projection) for projection in built] == [Rademacher, SJLT, Factored, Identity]
    assert [(projection.parameters, projection.dim) for projection in built] == [(9, 5), (9, 5), (9, 5), (9, 9)]
    assert built[1].nonzeros == 1
    assert [projection.precision for projection in built] == ["float32"] * 4
    assert [projection.by_layer for projection in built] == [False, False, True, False]
    assert build_projection({"kind": "sjlt", "dim": 5, "precision": "bfloat16"}, 9, 0, 0).precision == "bfloat16"


@pytest.mark.parametrize("projection", [{"kind": "identity"}, {"kind": "identity", "dim": 9}])
def test_the_identity_keeps_every_coordinate(projection, whole_numbers):
    gradients = whole_numbers(4, 9)
    assert torch.equal(build_projection(projection, 9, 0, 0)(gradients), gradients)


@pytest.mark.parametrize(
    ("projection", "message"),
    [
        (
            {"kind": "identity", "dim": 1024},
            r"projection.dim: found 1024 .* 72,370 attributed parameters .*`dim: null`",
        ),
        ({"kind": "gauss", "dim": 8}, "projection.kind: found 'gauss', allowed: rademacher, sjlt, factored, identity"),
        ({"kind": "rademacher", "dim": 0}, "projection.dim: found 0 for 72370 parameters, allowed: 1 or more"),
        ({"kind": "sjlt", "dim": 0, "nonzeros": 1}, "projection.dim: found 0"),
        (
            {"kind": "sjlt", "dim": 4, "precision": "float16"},
            "projection.precision: found 'float16', allowed: float32, bfloat16",
        ),
        ({"kind": "sjlt", "dim": 4, "nonzeros": 5}, "projection.nonzeros: found 5, allowed: 1 to projection.dim = 4"),
    ],
)
def test_what_does_not_fit_is_an_error(projection, message):
    with pytest.raises(UserError, match=message):
        build_projection(projection, 72370, 0, 0)
