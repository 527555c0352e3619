import hashlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trakway.data.blocks import digest, moments, write_blocks

ARRAY = np.random.default_rng(0).integers(0, 256, (23, 3, 4, 4), np.uint8)


def write(path, block, identity=None, array=ARRAY, fail_at=None):
    """Write ``array``; return the blocks read and the progress seen."""
    read, seen = [], []

    def rows(start, stop):
        if fail_at is not None and start >= fail_at:
            raise KeyboardInterrupt
        read.append((start, stop))
        return array[start:stop]

    try:
        write_blocks(path, array.shape, rows, identity or {"a": 1}, block, lambda *done: seen.append(done))
    except KeyboardInterrupt:
        assert not path.exists()
    return read, seen


@given(block=st.integers(1, 30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_block_size_changes_no_byte(tmp_path, block):
    write(tmp_path / "one.npy", 1000)
    read, seen = write(tmp_path / "many.npy", block)
    assert len(read) == -(-23 // block)
    assert seen[-1] == (23, 23)
    assert (tmp_path / "many.npy").read_bytes() == (tmp_path / "one.npy").read_bytes()
    np.testing.assert_array_equal(np.load(tmp_path / "one.npy"), ARRAY)


def test_goes_on_where_it_was_cut_off(tmp_path):
    path = tmp_path / "a.npy"
    write(path, 5, fail_at=10)
    read, seen = write(path, 5)
    assert read == [(10, 15), (15, 20), (20, 23)]
    assert seen == [(15, 23), (20, 23), (23, 23)]
    np.testing.assert_array_equal(np.load(path), ARRAY)
    assert [file.name for file in tmp_path.iterdir()] == ["a.npy"]


def test_cut_off_twice_with_another_block_size(tmp_path):
    path = tmp_path / "a.npy"
    write(path, 5, fail_at=10)
    write(path, 2, fail_at=14)
    read, _ = write(path, 100)
    assert read == [(14, 23)]
    np.testing.assert_array_equal(np.load(path), ARRAY)


def test_a_partial_file_of_something_else_is_thrown_away(tmp_path):
    path = tmp_path / "a.npy"
    write(path, 5, fail_at=10, array=255 - ARRAY)
    read, _ = write(path, 100, identity={"a": 2})
    assert read == [(0, 23)]
    np.testing.assert_array_equal(np.load(path), ARRAY)
    write(path.with_name("b.npy"), 5, fail_at=10)
    shorter, _ = write(path.with_name("b.npy"), 100, array=ARRAY[:12])
    assert shorter == [(0, 12)]


def test_a_lost_partial_file_or_damaged_note_starts_over(tmp_path):
    path = tmp_path / "a.npy"
    write(path, 5, fail_at=10)
    (tmp_path / ".a.partial.npy").unlink()
    assert write(path, 100)[0] == [(0, 23)]
    path.unlink()
    write(path, 5, fail_at=10)
    (tmp_path / ".a.partial.json").write_text('{"done": 1')
    assert write(path, 100)[0] == [(0, 23)]


@pytest.mark.parametrize("block", [1, 7, 100])
def test_digest_and_moments_against_brute_force(tmp_path, block):
    np.save(tmp_path / "a.npy", ARRAY)
    hashes, histogram = digest(tmp_path / "a.npy", block)
    assert hashes == [hashlib.sha256(image.tobytes()).hexdigest() for image in ARRAY]
    mean, std = moments(histogram)
    scaled = ARRAY.astype(np.float64) / 255
    np.testing.assert_allclose(mean, scaled.mean(axis=(0, 2, 3)), rtol=1e-13)
    np.testing.assert_allclose(std, scaled.std(axis=(0, 2, 3)), rtol=1e-13)
    np.testing.assert_array_equal(moments(digest(tmp_path / "a.npy", 1000)[1]), (mean, std))
