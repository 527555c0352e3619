import os
import shutil

import pytest

from trakway.storage.contents import remember, stamped


@pytest.fixture
def photos(tmp_path):
    for name in ("cats/1.png", "cats/2.png", "dogs/1.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_text(name)
    return tmp_path / "photos"


@pytest.fixture
def stamp(photos, tmp_path):
    """Return when the stamp was written, in nanoseconds, after a look at the folder."""

    def stamp():
        return stamped([photos], tmp_path / "own").stat().st_mtime_ns

    return stamp


def later(file):
    stat = file.stat()
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))


def added(photos):
    (photos / "dogs/2.png").write_text("another")


def removed(photos):
    (photos / "cats/2.png").unlink()


def renamed(photos):
    (photos / "cats/2.png").rename(photos / "dogs/2.png")


def edited(photos):
    """To as many bytes."""
    (photos / "cats/1.png").write_text("1/cats.png")
    later(photos / "cats/1.png")


@pytest.mark.parametrize("change", [added, removed, renamed, edited])
@pytest.mark.parametrize("seen", [True, False])
def test_a_change(photos, stamp, tmp_path, change, seen):
    first = stamp()
    if seen:
        remember(tmp_path / "own")
    assert stamp() == first
    change(photos)
    second = stamp()
    assert second > first
    assert stamp() == second


def test_another_time_is_no_change_where_contents_are_known(photos, stamp, tmp_path):
    first = stamp()
    remember(tmp_path / "own")
    later(photos / "cats/1.png")
    assert stamp() == first
    later(photos / "cats/1.png")
    assert stamp() == first


def test_another_time_is_one_where_they_are_not(photos, stamp):
    first = stamp()
    later(photos / "cats/1.png")
    assert stamp() > first


def test_what_is_hidden_does_not_count(photos, stamp):
    first = stamp()
    (photos / "cats/.DS_Store").write_text("x")
    (photos / ".ipynb_checkpoints").mkdir()
    (photos / ".ipynb_checkpoints/1.png").write_text("x")
    (photos / "cats/nowhere.png").symlink_to(photos / "nothing")
    assert stamp() == first


def test_what_is_known_may_be_lost(photos, stamp, tmp_path):
    stamp()
    shutil.rmtree(tmp_path / "own")
    assert stamp()
    (tmp_path / "own/files.json").write_text("{")
    assert stamp()


def test_a_file_moved_over_another_with_an_older_time(tmp_path):
    """As `mv`, `cp -p` and `rsync -a` leave it: nothing newer is there for Snakemake to see."""
    mine, other = tmp_path / "mine.npy", tmp_path / "other.npy"
    mine.write_text("mine")
    other.write_text("eyes")
    os.utime(other, ns=(0, mine.stat().st_mtime_ns - 10**12))
    first = stamped([mine], tmp_path / "own").stat().st_mtime_ns
    remember(tmp_path / "own")
    later(mine)
    assert stamped([mine], tmp_path / "own").stat().st_mtime_ns == first
    shutil.move(other, mine)
    assert stamped([mine], tmp_path / "own").stat().st_mtime_ns > first
