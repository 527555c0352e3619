import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.storage.files import read_array, read_json, read_table, replacing, write_array, write_json, write_table


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_killed_write_leaves_the_old_file_alone(tmp_path, environment):
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = (
        "import os, signal, sys\n"
        "from trakway.storage.files import replacing\n"
        "with replacing(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], env=environment).returncode == -9
    assert path.read_text() == "old"
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]  # nothing of the killed writer


def test_a_write_leaves_other_files_alone(tmp_path):
    names = {".a.txt", ".a.1x.txt", ".a.b.1.txt", ".a.partial.txt", ".a.1.csv", ".b.1.txt", "a.1.txt"}
    for name in names:
        (tmp_path / name).write_text("")
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert set(os.listdir(tmp_path)) == names | {"a.txt"}


def test_nothing_is_seen_before_the_end(tmp_path):
    path = tmp_path / "deep" / "er" / "a.csv"
    with replacing(path) as temporary:
        temporary.write_text("x")
        assert not path.exists()
        assert temporary.suffix == ".csv"
        assert str(os.getpid()) in temporary.name
        assert temporary.parent == path.parent  # a rename across file systems would not be atomic
    assert path.read_text() == "x"
    assert os.listdir(path.parent) == ["a.csv"]


def test_a_block_that_wrote_nothing_is_an_error(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a"):
        pass
    assert (tmp_path / "a").read_text() == "old"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_json_round_trip(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "value.json"
    write_json(path, value)
    assert read_json(path) == value


def test_json_does_not_depend_on_the_order_of_keys(tmp_path):
    write_json(tmp_path / "a.json", {"x": 1, "a": {"d": 2, "c": 3}})
    write_json(tmp_path / "b.json", {"a": {"c": 3, "d": 2}, "x": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").read_text().endswith("\n")


def test_what_json_cannot_hold_leaves_the_old_file_alone(tmp_path):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"x": object()})
    assert json.loads((tmp_path / "a.json").read_text()) == 1


@pytest.mark.parametrize("dtype", ["uint8", "bool", "float32", "float64", "int64"])
def test_array_round_trip(tmp_path, dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    write_array(tmp_path / "a.npy", array)
    back = read_array(tmp_path / "a.npy")
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    assert isinstance(back, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        back[0] = 0


def test_arrays_are_never_pickled(tmp_path):
    with pytest.raises(ValueError, match="[Oo]bject arrays"):
        write_array(tmp_path / "a.npy", np.array([{}, []], dtype=object))
    np.save(tmp_path / "b.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="[Oo]bject|pickle"):
        read_array(tmp_path / "b.npy")
    assert os.listdir(tmp_path) == ["b.npy"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_table_round_trip(tmp_path, suffix):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"method": ["trak", "random"] * 500, "k": np.arange(1000), "lds": rng.standard_normal(1000)})
    write_table(tmp_path / f"t{suffix}", table.set_index(np.arange(1000) + 5))
    # Exactly: a number read from a table is the number that was computed.
    pd.testing.assert_frame_equal(read_table(tmp_path / f"t{suffix}"), table, check_exact=True)
