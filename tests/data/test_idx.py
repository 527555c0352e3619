import gzip
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trakway.data.idx import DamagedFile, read_idx, write_idx

dtypes = st.sampled_from([np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64])
arrays = dtypes.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
)


@given(array=arrays)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_back(array, tmp_path):
    write_idx(tmp_path / "a.gz", array)
    back = read_idx(tmp_path / "a.gz")
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


def test_bytes_follow_the_format(tmp_path):
    write_idx(tmp_path / "a.gz", np.array([[1, -2, 300]], np.int32))
    raw = gzip.decompress((tmp_path / "a.gz").read_bytes())
    assert raw == bytes([0, 0, 0x0C, 2]) + struct.pack(">2I3i", 1, 3, 1, -2, 300)


def test_plain_file_is_read_like_a_compressed_one(tmp_path):
    write_idx(tmp_path / "a.gz", np.arange(6, dtype=np.uint8).reshape(2, 3))
    (tmp_path / "a").write_bytes(gzip.decompress((tmp_path / "a.gz").read_bytes()))
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), [[0, 1, 2], [3, 4, 5]])


def test_compressed_bytes_carry_neither_time_nor_name(tmp_path):
    array = np.arange(50, dtype=np.uint8)
    write_idx(tmp_path / "a.gz", array)
    write_idx(tmp_path / "b.gz", array)
    raw = (tmp_path / "a.gz").read_bytes()
    assert raw == (tmp_path / "b.gz").read_bytes()
    assert raw[3:8] == bytes(5)  # flags (no name) and time


def test_every_truncation_is_noticed(tmp_path):
    write_idx(tmp_path / "a.gz", np.arange(40, dtype=np.uint8).reshape(4, 10))
    compressed = (tmp_path / "a.gz").read_bytes()
    for raw in (compressed, gzip.decompress(compressed)):
        for length in range(len(raw)):
            (tmp_path / "cut").write_bytes(raw[:length])
            with pytest.raises(DamagedFile, match="cut"):
                read_idx(tmp_path / "cut")


def test_flipped_bits_fail_the_checksum(tmp_path):
    write_idx(tmp_path / "a.gz", np.random.default_rng(0).integers(0, 256, 1000, np.uint8))
    raw = bytearray((tmp_path / "a.gz").read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "a.gz").write_bytes(raw)
    with pytest.raises(DamagedFile, match="cut off or damaged"):
        read_idx(tmp_path / "a.gz")


@pytest.mark.parametrize("head", ["ffd8ffe0", "00000700", "01000801", "00000800"])
def test_wrong_magic(tmp_path, head):
    (tmp_path / "a").write_bytes(bytes.fromhex(head) + struct.pack(">I", 2) + b"ab")
    with pytest.raises(DamagedFile, match="not an IDX file"):
        read_idx(tmp_path / "a")


def test_more_bytes_than_announced(tmp_path):
    (tmp_path / "a").write_bytes(bytes([0, 0, 8, 1]) + struct.pack(">I", 2) + b"abc")
    with pytest.raises(DamagedFile, match=r"announces 2 bytes for shape \(2,\), the file holds 3"):
        read_idx(tmp_path / "a")


def test_type_that_idx_lacks(tmp_path):
    with pytest.raises(ValueError, match="int64"):
        write_idx(tmp_path / "a.gz", np.arange(3))
    assert not (tmp_path / "a.gz").exists()
