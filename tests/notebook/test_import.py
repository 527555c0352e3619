"""``import trakway as tw`` is light, and every name is there."""

import subprocess
import sys

import pytest

import trakway as tw

HEAVY = ("torch", "pandas", "numpy", "numba", "matplotlib", "scipy", "trakway.notebook")


def test_nothing_heavy_is_loaded(environment):
    program = f"import sys, trakway; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", tw.__all__)
def test_names_resolve_and_are_listed(name):
    assert callable(getattr(tw, name))
    assert name in dir(tw)


def test_no_name_is_that_of_a_room():
    """An import of the room would put the module in the place of the function."""
    from pathlib import Path

    rooms = {path.stem for path in Path(tw.__file__).parent.iterdir()}
    assert not rooms & set(tw.__all__)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'atribute'"):
        tw.atribute  # noqa: B018
