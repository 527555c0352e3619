"""Declarations are read from source, without running it, and mistakes are told with file and line."""

from dataclasses import dataclass, field

import pytest

from trakway.errors import UserError
from trakway.plan.declarations import declared, keyword_options


@dataclass(frozen=True)
class Thing:
    reads: tuple = ()
    label: str = ""
    table: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Needy:
    title: str


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / f"{abs(hash(text))}.py"
        path.write_text(text)
        return path

    return write


def test_read_without_running(write):
    file = write(
        'import no_such_module\nTHING = Thing(\n    reads=("a", "b"), table={"k": [1, None, True]})\nraise SystemExit\n'
    )
    assert declared(file, "THING", Thing) == Thing(("a", "b"), "", {"k": [1, None, True]})


def test_none_where_there_is_none(write):
    assert declared(write("OTHER = 1\n"), "THING", Thing) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nTHING = Thing(raeds=())", "line 2: THING: found an unknown key raeds; allowed: reads, label, table"),
        ("THING = Thing(\n label=str(1))", "line 2: THING: label: found str(1); allowed: a plain value"),
        ("THING = 3", "line 1: THING: found 3; allowed: Thing(key=value, ...)"),
        ("THING = Thing('a')", "allowed: Thing(key=value, ...)"),
        ("THING = Thing(reads=('features'))", "line 1: THING: reads: found the text 'features'; allowed: a tuple"),
        ("def f(:\n", "line 1: not valid Python"),
    ],
)
def test_mistakes_are_told_with_file_and_line(write, text, said):
    file = write(text)
    with pytest.raises(UserError) as error:
        declared(file, "THING", Thing)
    assert str(error.value).startswith(str(file))
    assert said in str(error.value)


def test_a_missing_key_is_told(write):
    with pytest.raises(UserError, match="found no title"):
        declared(write("THING = Needy()"), "THING", Needy)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        declared(tmp_path / "none.py", "THING", Thing)


def test_options_are_the_keyword_parameters(write):
    file = write("def score(material, out, *, ridge=0.5, mode='a', other=None):\n    pass\n")
    assert keyword_options(file, "score") == {"ridge": 0.5, "mode": "a", "other": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def scroe(material, out): pass", "found no function score; allowed: scroe. Did you mean"),
        ("def score(m, o, *, ridge): pass", r"score\(ridge\): allowed: a default"),
        ("def score(m, o, *, ridge=len('a')): pass", r"score\(ridge\): allowed: a default"),
    ],
)
def test_mistakes_in_options(write, text, said):
    with pytest.raises(UserError, match=said):
        keyword_options(write(text), "score")
