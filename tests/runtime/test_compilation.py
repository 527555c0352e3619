import importlib.util

import pytest

from trakway.runtime import compilation

LOOP = """
import numba

@numba.njit(cache=True)
def double(x):
    return 2 * x
"""


@pytest.fixture
def loop(tmp_path, monkeypatch):
    """Import a module with a loop anew, under a name of the library."""
    import trakway.projection.lanes  # noqa: F401 (where the listener is set up)

    (tmp_path / "loop.py").write_text(LOOP)

    def load(name="trakway.loop"):
        monkeypatch.setattr(compilation, "_said", False)
        spec = importlib.util.spec_from_file_location(name, tmp_path / "loop.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.double

    return load


def test_a_line_where_a_loop_is_compiled_once_and_not_where_it_is_cached(loop, capsys):
    double = loop()
    assert double(1) == 2
    assert "compiling" in capsys.readouterr().err
    assert double(1.5) == 3
    assert capsys.readouterr().err == ""
    assert loop()(1) == 2
    assert capsys.readouterr().err == ""


def test_nothing_is_said_of_other_peoples_loops(loop, capsys):
    assert loop("theirs")("a" * 0 or 1) == 2
    assert capsys.readouterr().err == ""
