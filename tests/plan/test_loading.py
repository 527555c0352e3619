import dataclasses
import pickle
import sys

import pytest

from trakway.errors import UserError
from trakway.plan.loading import load_from


@pytest.fixture(autouse=True)
def _undone(monkeypatch):
    """Leave neither modules nor search paths behind."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_functions_and_classes(write):
    text = "import dataclasses\n\n@dataclasses.dataclass\nclass Pair:\n    a: int\n\ndef double(x):\n    return 2 * x\n"
    file = write("mine.py", text)
    assert load_from(file, "double")(4) == 8
    pair = load_from(file, "Pair")(3)
    assert dataclasses.asdict(pickle.loads(pickle.dumps(pair))) == {"a": 3}


def test_a_file_is_run_once(write):
    file = write("counting.py", "calls = []\ncalls.append(1)\n")
    assert load_from(file, "calls") is load_from(file, "calls")
    assert load_from(file, "calls") == [1]


def test_files_beside_it_can_be_imported(write):
    write("own_code_sibling.py", "value = 7\n")
    file = write(
        "importing.py",
        "import own_code_sibling\n\ndef late():\n    from own_code_other import value\n    return value\n",
    )
    write("own_code_other.py", "value = 8\n")
    assert load_from(file, "own_code_sibling").value == 7
    assert load_from(file, "late")() == 8


def test_installed_packages_come_before_files_beside_it(write):
    write("numpy.py", "raise RuntimeError\n")
    assert load_from(write("plain.py", "import numpy\n"), "numpy").__version__


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\n\nb = 1 / 0\n", ", line 3: ZeroDivisionError: division by zero; correct it"),
        ("def f():\n    return {}['k']\n\nf()\n", ", line 2: KeyError: 'k'; correct it"),
        ("import json\njson.loads('{')\n", ", line 2: JSONDecodeError: "),
        ("import no_such_module\n", ", line 1: ModuleNotFoundError: No module named"),
    ],
)
def test_an_error_names_the_line_of_the_file(write, text, said):
    file = write("wrong.py", text)
    with pytest.raises(UserError) as caught:
        load_from(file, "f")
    assert str(caught.value).startswith(f"{file}{said}")


def test_a_mistake_in_the_syntax_names_the_line(write):
    with pytest.raises(UserError, match=r"broken\.py, line 2: not valid Python: .*; correct it"):
        load_from(write("broken.py", "a = 1\ndef f(:\n"), "f")


def test_a_mended_file_is_read_again(write):
    with pytest.raises(UserError):
        load_from(write("later.py", "1 / 0\n"), "f")
    assert load_from(write("later.py", "f = 5\n"), "f") == 5


def test_a_message_for_people_passes(write):
    file = write("telling.py", "from trakway.errors import UserError\nraise UserError('told')\n")
    with pytest.raises(UserError, match="^told$"):
        load_from(file, "f")


def test_no_such_name(write):
    file = write("named.py", "score = 1\n_hidden = 2\n")
    with pytest.raises(UserError) as caught:
        load_from(file, "scroe")
    assert str(caught.value) == f'{file}: found no scroe; allowed: score. Did you mean "score"? '


def test_no_such_file(tmp_path):
    with pytest.raises(UserError, match=r"none\.py: cannot be read"):
        load_from(tmp_path / "none.py", "f")
