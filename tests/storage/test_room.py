import errno
import os

import numpy as np
import pytest

from trakway.errors import UserError
from trakway.storage.resumable import Part, fill_arrays
from trakway.storage.room import reserve


def test_bytes_are_taken_at_once(tmp_path):
    def taken(block):
        assert (tmp_path / ".train.partial.npy").stat().st_blocks * 512 >= 4_000_000
        return [np.ones(1_000_000, np.float32)]

    fill_arrays([Part([tmp_path / "train.npy"], [(1_000_000,)], [slice(0, 1_000_000)], taken)], "a", "blocks")
    assert np.load(tmp_path / "train.npy").sum() == 1_000_000


def test_more_than_the_disk_has(tmp_path):
    with open(tmp_path / ".train.partial.npy", "wb") as handle:
        handle.truncate(10**12)
    words = rf"{tmp_path}: found [\d,]+ bytes free, and train.npy needs 1,000,000,000,000; free some"
    with pytest.raises(UserError, match=words):
        reserve(tmp_path / ".train.partial.npy")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_another_has_taken_it_meanwhile(tmp_path, monkeypatch, number):
    def full(*given):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", full)
    part = Part([tmp_path / "train.npy"], [(10, 20)], [slice(0, 10)], lambda block: pytest.fail("nothing is computed"))
    with pytest.raises(UserError, match="train.npy needs 928; free some .make clean-stale"):
        fill_arrays([part], "a", "blocks")


def test_a_file_system_that_reserves_nothing(tmp_path, monkeypatch):
    def unknown(*given):
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(os, "posix_fallocate", unknown)
    part = Part([tmp_path / "train.npy"], [(4,)], [slice(0, 4)], lambda block: [np.arange(4)])
    fill_arrays([part], "a", "blocks")
    assert np.load(tmp_path / "train.npy").tolist() == [0, 1, 2, 3]
