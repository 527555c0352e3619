import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trakway.data.checksums import CHECKSUMS
from trakway.data.fashion_mnist import DEBIAN, PACKED, read_folder
from trakway.data.idx import read_idx
from trakway.data.packing import OTHERS, pack, packed_rows
from trakway.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "pack_fashion_mnist.py"


def check_sums(folder: Path) -> set[str]:
    names = set()
    for line in (folder / CHECKSUMS).read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
        names.add(name)
    return names


def test_the_pack_matches_the_checksums_beside_it():
    assert check_sums(PACKED) == {file.name for file in PACKED.glob("*.gz")}


def test_the_pack_is_small_and_says_where_it_is_from():
    assert sum(file.stat().st_size for file in PACKED.iterdir()) < 12e6
    assert "Copyright © 2017 Zalando SE" in (PACKED / "LICENSE").read_text()
    assert "zalandoresearch/fashion-mnist" in (PACKED / "README.md").read_text()


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="the full set is not installed")
def test_the_pack_holds_the_rows_that_the_script_would_pack():
    full, packed = read_folder(DEBIAN), read_folder(PACKED)
    np.testing.assert_array_equal(packed.train.ids, packed_rows(full.train.labels, OTHERS["train"]))
    np.testing.assert_array_equal(packed.test.ids, packed_rows(full.test.labels, OTHERS["test"]))


def test_rows_by_brute_force():
    labels = np.random.default_rng(0).integers(0, 10, 300)
    taken, expected = dict.fromkeys(range(10), 0), []
    for row, label in enumerate(labels):
        if label in (4, 6) or taken[label] < 7:
            expected.append(row)
        taken[label] += 1
    np.testing.assert_array_equal(packed_rows(labels, 7), expected)


def test_packing_small_sets(tmp_path, monkeypatch, write_fashion):
    monkeypatch.setattr("trakway.data.packing.OTHERS", {"train": 3, "test": 1})
    full = write_fashion(tmp_path / "full", [8] * 10, [4] * 10)
    size = pack(full, tmp_path / "a")
    pack(full, tmp_path / "b")
    names = check_sums(tmp_path / "a")
    assert size == sum((tmp_path / "a" / name).stat().st_size for name in names)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    whole, packed = read_folder(full), read_folder(tmp_path / "a")
    assert np.bincount(packed.train.labels).tolist() == [3, 3, 3, 3, 8, 3, 8, 3, 3, 3]
    np.testing.assert_array_equal(packed.test.examples.array, whole.test.examples.array[packed.test.ids])
    assert read_idx(tmp_path / "a" / "train-ids-idx1-int.gz").dtype == np.int32
    pack(tmp_path / "a", tmp_path / "again")  # a pack packs to itself
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


def test_missing_source(tmp_path):
    with pytest.raises(UserError, match="nowhere: not a folder with the four official files"):
        pack(tmp_path / "nowhere", tmp_path / "out")


def test_the_script(tmp_path, write_fashion):
    full = write_fashion(tmp_path / "full", [8] * 10, [4] * 10)
    command = [sys.executable, SCRIPT, "--source", full, "--output", tmp_path / "out"]
    environment = {"PYTHONPATH": str(SCRIPT.parents[1] / "src")}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert "MB" in done.stdout
    assert len(check_sums(tmp_path / "out")) == 6
    (full / "train-labels-idx1-ubyte.gz").unlink()
    failed = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: ")
    assert "Traceback" not in failed.stderr
