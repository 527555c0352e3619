import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trakway.storage.resumable import Part, fill_arrays, row_blocks

SHAPES = [(3, 10, 2), (3, 10)]
BLOCKS = [(member, rows) for member in range(3) for rows in row_blocks(10, 4)]
VALUES = [np.random.default_rng(i).standard_normal(shape).astype(np.float32) for i, shape in enumerate(SHAPES)]


@pytest.fixture(autouse=True, scope="module")
def save_every_block():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trakway.storage.resumable.SAVE_SECONDS", -1.0)
        yield


class Killed(BaseException):
    pass


class Work:
    """Compute blocks of VALUES + shift; be killed before or midway through this process's block ``stop``."""

    def __init__(self, stop=None, midway=False, shift=0.0):
        self.stop, self.midway, self.shift = stop, midway, shift
        self.blocks = []

    def __call__(self, block):
        if len(self.blocks) == self.stop and not self.midway:
            raise Killed
        yield VALUES[0][block] + self.shift
        if len(self.blocks) == self.stop:
            raise Killed
        self.blocks.append(block)
        yield VALUES[1][block] + self.shift


def fill(folder, work, blocks=BLOCKS, fingerprint="a"):
    names = [Path(folder, name) for name in ("one.npy", "two.npy")]
    return fill_arrays([Part(names, SHAPES, blocks, work)], fingerprint, "blocks")


def contents(folder):
    return {file.name: file.read_bytes() for file in Path(folder).iterdir()}


@pytest.fixture
def whole(tmp_path):
    """What an uninterrupted run leaves behind."""
    fill(tmp_path / "whole", Work())
    return contents(tmp_path / "whole")


def test_the_arrays_hold_what_was_computed(tmp_path):
    work = Work()
    cost = fill(tmp_path, work)
    assert work.blocks == BLOCKS
    for name, values in zip(("one.npy", "two.npy"), VALUES, strict=True):
        array = np.load(tmp_path / name, allow_pickle=False)
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, values)
    assert sorted(os.listdir(tmp_path)) == ["one.npy", "two.npy"]
    assert set(cost) == {"cpu_seconds", "wall_seconds", "peak_mb"}


@settings(max_examples=40)
@given(stops=st.lists(st.tuples(st.integers(0, len(BLOCKS) - 1), st.booleans()), min_size=1, max_size=3))
def test_killed_anywhere_and_resumed_computes_every_block_once(stops):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("trakway.storage.files.os.fsync", lambda handle: None)  # time: the machine stays up
        done = []
        for stop, midway in [*stops, (None, False)]:
            work = Work(stop, midway)
            try:
                fill(folder, work)
            except Killed:
                assert not Path(folder, "one.npy").exists()
                done += work.blocks
            else:
                assert done + work.blocks == BLOCKS
                break
        for name, values in zip(("one.npy", "two.npy"), VALUES, strict=True):
            np.testing.assert_array_equal(np.load(Path(folder, name)), values)
        assert sorted(os.listdir(folder)) == ["one.npy", "two.npy"]


@settings(max_examples=30)
@given(stops=st.lists(st.integers(0, 6), min_size=1, max_size=3))
def test_parts_are_filled_one_after_the_other(stops):
    # The second part has blocks that compare equal to those of the first.
    values = {"a": VALUES[1][:2], "b": VALUES[0][:, 0], "c": VALUES[0][0]}
    plan = {"a": [0, 1], "b": [0, 1, 2], "c": [slice(0, 4), slice(4, 10)]}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("trakway.storage.files.os.fsync", lambda handle: None)
        done = []
        for stop in [*stops, 99]:
            computed = []

            def part(name, stop=stop, computed=computed):
                def compute(block):
                    if len(computed) == stop:
                        raise Killed
                    computed.append((name, block))
                    return [values[name][block]]

                return Part([Path(folder, name + ".npy")], [values[name].shape], plan[name], compute)

            try:
                fill_arrays([part(name) for name in plan], "a", "blocks")
            except Killed:
                assert not list(Path(folder).glob("[!.]*.npy"))
                done += computed
            else:
                assert done + computed == [(name, step) for name, steps in plan.items() for step in steps]
                break
        for name, expected in values.items():
            np.testing.assert_array_equal(np.load(Path(folder, name + ".npy")), expected)


def test_a_process_killed_for_good_is_continued(tmp_path, whole, environment):
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from trakway.storage import resumable\n"
        "resumable.SAVE_SECONDS = -1.0\n"
        "values = [np.load(name) for name in ('0.npy', '1.npy')]\n"
        "done = []\n"
        "def compute(block):\n"
        "    if len(done) == 5:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    done.append(block)\n"
        "    return [value[block] for value in values]\n"
        "blocks = [(m, slice(s, min(s + 4, 10))) for m in range(3) for s in (0, 4, 8)]\n"
        "shapes = [value.shape for value in values]\n"
        "paths = [Path('cut/one.npy'), Path('cut/two.npy')]\n"
        "resumable.fill_arrays([resumable.Part(paths, shapes, blocks, compute)], 'a', 'blocks')\n"
    )
    for i, values in enumerate(VALUES):
        np.save(tmp_path / f"{i}.npy", values)
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment).returncode == -9
    work = Work()
    fill(tmp_path / "cut", work)
    assert work.blocks == BLOCKS[5:]
    assert contents(tmp_path / "cut") == whole


def test_the_cost_of_earlier_processes_counts(tmp_path, monkeypatch):
    monkeypatch.setattr("trakway.runtime.resources.time.perf_counter", iter(range(1000)).__next__)
    with pytest.raises(Killed):
        fill(tmp_path, Work(4))
    cost = fill(tmp_path, Work())
    assert cost["wall_seconds"] == len(BLOCKS)  # a tick a block; the block cut short is not known any more


def test_blocks_that_were_not_saved_are_done_again(tmp_path, monkeypatch):
    monkeypatch.setattr("trakway.storage.resumable.SAVE_SECONDS", 2.5)
    monkeypatch.setattr("trakway.storage.resumable.time.monotonic", iter(range(1000)).__next__)  # a second a block
    with pytest.raises(Killed):
        fill(tmp_path, Work(8))
    work = Work()
    fill(tmp_path, work)
    # Saved after the third block and the sixth.
    assert work.blocks == BLOCKS[6:]
    for name, values in zip(("one.npy", "two.npy"), VALUES, strict=True):
        np.testing.assert_array_equal(np.load(tmp_path / name), values)


@pytest.mark.parametrize("change", ["fingerprint", "blocks"])
def test_other_work_begins_anew(tmp_path, whole, change):
    with pytest.raises(Killed):
        fill(tmp_path / "cut", Work(5, shift=1.0), fingerprint="b" if change == "fingerprint" else "a")
    blocks = BLOCKS
    if change == "blocks":
        blocks = [(member, rows) for member in range(3) for rows in row_blocks(10, 5)]
    work = Work()
    fill(tmp_path / "cut", work, blocks)
    assert work.blocks == blocks
    assert contents(tmp_path / "cut") == whole


def test_other_shapes_begin_anew(tmp_path):
    path = tmp_path / "a.npy"
    values = np.arange(24, dtype=np.float32)

    def cut_short(block):
        if block.start:
            raise Killed
        return [values[block, None] + 1]

    with pytest.raises(Killed):
        fill_arrays([Part([path], [(24, 1)], row_blocks(24, 12), cut_short)], "a", "blocks")
    fill_arrays([Part([path], [(24,)], row_blocks(24, 12), lambda block: [values[block]])], "a", "blocks")
    np.testing.assert_array_equal(np.load(path), values)


def test_work_that_was_overwritten_is_not_continued(tmp_path, whole, environment):
    with pytest.raises(Killed):
        fill(tmp_path / "cut", Work(5))
    with pytest.raises(Killed):
        fill(tmp_path / "cut", Work(0), fingerprint="b")  # killed before its first block is done
    fill(tmp_path / "cut", Work())
    assert contents(tmp_path / "cut") == whole


@pytest.mark.parametrize("text", ["", '{"plan": ["a", [[3,', "\x00\x00"])
def test_a_damaged_record_means_beginning_anew(tmp_path, whole, text):
    with pytest.raises(Killed):
        fill(tmp_path / "cut", Work(5))
    (tmp_path / "cut" / ".one.partial.json").write_text(text)
    work = Work()
    fill(tmp_path / "cut", work)
    assert work.blocks == BLOCKS
    assert contents(tmp_path / "cut") == whole


def test_a_lost_array_means_beginning_anew(tmp_path, whole):
    with pytest.raises(Killed):
        fill(tmp_path / "cut", Work(5))
    (tmp_path / "cut" / ".two.partial.npy").unlink()
    fill(tmp_path / "cut", Work())
    assert contents(tmp_path / "cut") == whole


def test_killed_between_the_renames(tmp_path, whole, monkeypatch):
    renamed = []

    def replace(source, path):
        if Path(path).name == "two.npy":
            raise Killed
        renamed.append(Path(path).name)
        os.rename(source, path)

    with monkeypatch.context() as patch:
        patch.setattr("trakway.storage.resumable.os.replace", replace)
        with pytest.raises(Killed):
            fill(tmp_path / "cut", Work())
    assert renamed[-1] == "one.npy"
    fill(tmp_path / "cut", Work())
    assert contents(tmp_path / "cut") == whole


@given(rows=st.integers(0, 50), size=st.integers(1, 60))
def test_row_blocks_cut_every_row_once(rows, size):
    blocks = row_blocks(rows, size)
    assert [row for block in blocks for row in range(rows)[block]] == list(range(rows))
    assert [block.stop - block.start for block in blocks[:-1]] == [size] * (len(blocks) - 1)
    assert all(1 <= block.stop - block.start <= size for block in blocks)
