import subprocess

import pytest

from trakway.data.checksums import CHECKSUMS, intact, write_checksums
from trakway.errors import UserError


def test_checksums_as_sha256sum_has_them(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).write_text(name)
    write_checksums(tmp_path, ["b", "a"])
    done = subprocess.run(["sha256sum", "a", "b"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (tmp_path / CHECKSUMS).read_text() == done.stdout
    assert intact(tmp_path / "b") == tmp_path / "b"


def test_files_that_are_not_what_they_were(tmp_path):
    (tmp_path / "a").write_text("a")
    with pytest.raises(UserError, match=f"{CHECKSUMS}: cannot be read .No such file"):
        intact(tmp_path / "a")
    write_checksums(tmp_path, ["a"])
    (tmp_path / "a").write_text("b")
    (tmp_path / "b").write_text("b")
    for name in ("a", "b"):
        with pytest.raises(UserError, match=f"{name}: SHA-256 differs from {CHECKSUMS}; fetch the file again"):
            intact(tmp_path / name)
