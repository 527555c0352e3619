import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.config.reading import parse_json, read_mapping
from trakway.errors import UserError


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        ("5e-4", 5e-4),
        ("-2.5e+2", -250.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("1_000", 1000),
        ("010", 10),
        ("1:30", "1:30"),
        ("-7", -7),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("none", "none"),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("2024-01-01", "2024-01-01"),
        ("'1e-3'", "1e-3"),
        ("e3", "e3"),
        ("1e", "1e"),
    ],
)
def test_scalars_read_as_yaml_1_2(write, written, value):
    found = read_mapping(write(f"key: {written}\n"))["key"]
    assert found == value
    assert type(found) is type(value)


def test_nan_is_read_as_a_float(write):
    assert math.isnan(read_mapping(write("key: .nan\n"))["key"])


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_numbers_as_python_prints_them(tmp_path_factory, number):
    path = tmp_path_factory.mktemp("numbers") / "x.yaml"
    path.write_text(f"key: {number!r}\n")
    found = read_mapping(path)["key"]
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", "line 3"),
        ("a: 1\n\tb: 2\n", "line 2"),
        ("a: 1\nb: 2\na: 3\n", "line 3: not valid YAML: the key 'a' is already in line 1"),
        ("a:\n  b: 1\n  b: 2\n", "line 3: not valid YAML: the key 'b' is already in line 2"),
        ("a: {x: 1, x: 2}\n", "line 1: not valid YAML: the key 'x' is already in line 1"),
        ("a: 1\n2: b\n", "line 2: not valid YAML: a key must be text, not '2'"),
        ("a: 1\n? [x, y]\n: b\n", "line 2: not valid YAML: a key must be text"),
        ("a: *nowhere\n", "line 1"),
        ("a: !!python/object:os.system x\n", "line 1"),
        ("- a\n- b\n", "found a list; allowed: a mapping"),
        ("# only a comment\n", "found nothing; allowed: a mapping"),
        ("a: 1\n---\nb: 2\n", "line 2"),
        ("a: \x07\n", "not valid YAML"),
        ("a: &x {b: *x}\n", "Circular reference"),
        ("a: !!set {b, c}\n", "what JSON cannot hold"),
    ],
)
def test_bad_yaml_names_file_and_line(write, text, said):
    path = write(text)
    with pytest.raises(UserError) as caught:
        read_mapping(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_missing_file_names_its_neighbours(write, tmp_path):
    write({}, "fashion.yaml")
    with pytest.raises(UserError, match=r"fahsion\.yaml: cannot be read \(No such file.*beside it: fashion\.yaml"):
        read_mapping(tmp_path / "fahsion.yaml")


def test_folder_and_binary_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_mapping(tmp_path)
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(UserError, match="not UTF-8 text"):
        read_mapping(tmp_path / "x.yaml")


@given(
    st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5))
)
def test_json_comes_back(value):
    assert parse_json(json.dumps(value), "text") == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,\n "b": }', "line 2, column 7"),
        ('{"a": 1, "a": 2}', "the key 'a' is given more than once"),
        ("[1]", "found a list"),
    ],
)
def test_bad_json_says_where(text, said):
    with pytest.raises(UserError, match=said) as caught:
        parse_json(text, "settings")
    assert str(caught.value).startswith("settings: ")
