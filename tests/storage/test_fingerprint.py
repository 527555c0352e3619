import hashlib
import json
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.storage.fingerprint import code_digest, file_digest, fingerprint

leaves = st.none() | st.integers() | st.text(max_size=5)
parts = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@given(st.lists(parts, max_size=3), st.lists(parts, max_size=3))
def test_equal_exactly_where_the_parts_are(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (fingerprint(*one) == fingerprint(*other)) == same


def test_order_of_keys_does_not_matter_order_of_parts_does():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint("a", "b") != fingerprint("b", "a")
    assert fingerprint(1, 2) != fingerprint(12)


def test_every_property_of_an_array_counts():
    base = np.arange(6, dtype=np.int64)
    changed = base.copy()
    changed[3] = 9
    arrays = [
        base,
        changed,
        base.reshape(2, 3),
        base.reshape(3, 2),
        base.astype(np.int32),
        base.astype(">i8"),
        base[:5],
    ]
    arrays += [base[:0], base[:0].reshape(0, 3), np.arange(3) > 1, [0, 1, 2, 3, 4, 5]]
    digests = [fingerprint(array) for array in arrays]
    assert len(set(digests)) == len(arrays)


def test_the_layout_of_an_array_does_not_count(tmp_path):
    array = np.arange(12).reshape(3, 4)
    np.save(tmp_path / "a.npy", array)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    spread = np.zeros((3, 8), array.dtype)[:, ::2]
    spread[:] = array
    assert fingerprint(array) == fingerprint(np.asfortranarray(array)) == fingerprint(mapped) == fingerprint(spread)


def test_file_digest_is_sha256(tmp_path):
    content = np.random.default_rng(0).bytes(300_000)
    (tmp_path / "f").write_bytes(content)
    assert file_digest(tmp_path / "f") == hashlib.sha256(content).hexdigest()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    (folder / "b").mkdir(parents=True)
    for name, content in (("c", b"1"), ("b/x", b"2"), ("a.txt", b"3"), ("b.txt", b"")):
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum")
def test_the_digest_of_a_folder_is_that_of_what_sha256sum_says(folder):
    command = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    said = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert file_digest(folder) == file_digest(str(folder)) == said.split()[0]


def test_the_digest_of_a_folder_follows_names_and_contents_alone(folder, tmp_path):
    first = file_digest(folder)
    shutil.copytree(folder, tmp_path / "other")
    (tmp_path / "other/empty").mkdir()
    assert file_digest(tmp_path / "other") == first
    digests = {first}
    changes = (
        lambda: (folder / "c").write_bytes(b"4"),
        lambda: (folder / "c").rename(folder / "d"),
        lambda: (folder / "d").rename(folder / "b/c"),
        lambda: (folder / "b/y").write_bytes(b""),
        lambda: (folder / "b/x").unlink(),
    )
    for change in changes:
        change()
        digests.add(file_digest(folder))
    assert len(digests) == 1 + len(changes)


def test_code_digest_knows_names_and_contents_but_not_folders(tmp_path):
    def write(folder, **texts):
        (tmp_path / folder).mkdir()
        for name, text in texts.items():
            (tmp_path / folder / f"{name}.py").write_text(text)
        return sorted((tmp_path / folder).iterdir())

    first = code_digest(write("here", a="1", b="2"))
    assert code_digest(reversed(write("moved", a="1", b="2"))) == first
    others = [write("content", a="1", b="3"), write("name", a="1", c="2"), write("fewer", a="1")]
    assert len({first, *map(code_digest, others)}) == 4
