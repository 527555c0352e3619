import argparse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.plan import compact, shards
from trakway.runtime.paths import Named, Paths, expanded


@pytest.fixture
def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", action=Paths)
    parser.add_argument("--input", action=Named, choices=("a", "b"), default={})
    parser.add_argument("--cost", action=Named, default={})
    return lambda *words: parser.parse_args(words)


@given(st.integers(0, 60), st.integers(1, 9), st.sampled_from(["o/{}.npy", "f/{}/train.json", "{}"]))
def test_what_is_compacted_comes_back(models, size, pattern):
    paths = [pattern.replace("{}", shard) for shard in shards(models, size)]
    assert expanded(compact(["first", *paths, "last"])) == [Path(path) for path in ("first", *paths, "last")]


def test_paths(parse):
    assert parse("--files", "x", "o/{}.npy@3/2").files == [
        Path("x"), Path("o/00000-00002.npy"), Path("o/00002-00003.npy")
    ]  # fmt: skip
    with pytest.raises(SystemExit):
        parse("--files")


def test_named_any_number_of_times(parse):
    found = parse("--input", "a", "x", "y", "--cost", "free", "z", "--input", "b", "--input", "a", "{}@2/1")
    assert found.input == {"a": [Path("00000-00001"), Path("00001-00002")], "b": []}
    assert found.cost == {"free": [Path("z")]}
    assert parse().input == {}  # what was given before is not kept as the default


def test_a_name_that_is_none(parse, capsys):
    with pytest.raises(SystemExit):
        parse("--input", "c", "x")
    assert "--input: found c; allowed: a, b" in capsys.readouterr().err
