"""Python files, run by their path: those of the library, and a user's own."""

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import trakway

PACKAGE = Path(trakway.__file__).parent


def load(file: str | os.PathLike) -> ModuleType:
    """Return the module of a Python file; what lies beside a user's file can be imported by it."""
    file = Path(file).resolve()
    if file.is_relative_to(PACKAGE):
        return importlib.import_module(".".join((PACKAGE.name, *file.relative_to(PACKAGE).with_suffix("").parts)))
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
