"""Kernels that differ from the definition are not used."""

import pytest
import torch

from trakway.projection.gpu import agreement
from trakway.projection.rademacher import Rademacher
from trakway.projection.sjlt import SJLT


@pytest.fixture
def stand_in(monkeypatch):
    """Let the CPU's projections stand in for the kernels."""
    monkeypatch.setattr(agreement, "available", lambda: True)
    monkeypatch.setattr(torch.Tensor, "cuda", lambda tensor: tensor)
    monkeypatch.setattr(agreement, "rademacher", lambda rows, dim, key: Rademacher(rows.shape[1], dim, key)(rows))
    monkeypatch.setattr(agreement, "sjlt", lambda rows, dim, key, s: SJLT(rows.shape[1], dim, key, s)(rows))
    agreement.usable.cache_clear()
    yield monkeypatch
    agreement.usable.cache_clear()


def test_kernels_that_agree_are_used(stand_in):
    assert agreement.usable()


def test_nothing_is_tried_without_a_gpu(stand_in):
    stand_in.setattr(agreement, "available", lambda: False)
    stand_in.setattr(agreement, "rademacher", None)
    assert not agreement.usable()


@pytest.mark.parametrize("kind", ["rademacher", "sjlt"])
@pytest.mark.parametrize("spoil", [lambda f: f * (1 + 1e-4), lambda f: f.flip(1), lambda f: f * torch.nan])
def test_kernels_that_differ_are_not(stand_in, kind, spoil):
    right = getattr(agreement, kind)
    stand_in.setattr(agreement, kind, lambda *arguments: spoil(right(*arguments)))
    with pytest.warns(UserWarning, match=f"the GPU kernel of {kind} differs from its definition"):
        assert not agreement.usable()


def test_kernels_that_do_not_run_are_not_used(stand_in):
    def broken(*arguments):
        raise RuntimeError("no such instruction")

    stand_in.setattr(agreement, "sjlt", broken)
    with pytest.warns(UserWarning, match="do not run on this device .no such instruction."):
        assert not agreement.usable()
