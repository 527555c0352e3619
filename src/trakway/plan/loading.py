"""Loading what an experiment names: a built-in module by import, a user's file from where it lies."""

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from trakway.errors import UserError
from trakway.plan.declarations import parsed
from trakway.plan.places import PACKAGE, place
from trakway.plan.suggestions import did_you_mean


def load(room: str, name: str, beside: str = ""):
    """Return the class of a task, or the function of a model or data set; or what stands beside it in its file.

    Raises:
        UserError: there is none, or its file cannot be imported (names the line).
    """
    file, inner = place(room, name)
    return load_from(file, beside or inner)


def load_from(file: Path, name: str):
    """Return what a Python file calls ``name``; what lies beside a user's file can be imported by it.

    Raises:
        UserError: the file cannot be imported (names the line), or has no such name.
    """
    module = _module(Path(file).resolve())
    if not hasattr(module, name):
        known = [key for key in vars(module) if not key.startswith("_")]
        raise UserError(f"{file}: found no {name}; allowed: {', '.join(known)}. {did_you_mean(name, known)}")
    return getattr(module, name)


def _module(file: Path) -> ModuleType:
    if file.is_relative_to(PACKAGE):
        return importlib.import_module(".".join(file.with_suffix("").relative_to(PACKAGE.parent).parts))
    there = [module for module in sys.modules.values() if getattr(module, "__file__", None) == str(file)]
    if there:
        return there[0]
    parsed(file)  # tells where a file is none, or not Python
    if str(file.parent) not in sys.path:  # what lies beside it can be imported, and hides no installed package
        sys.path.append(str(file.parent))
    name = file.stem if file.stem not in sys.modules else str(file)
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except UserError:
        del sys.modules[name]
        raise
    except Exception as error:
        del sys.modules[name]
        raise UserError(f"{origin(error, file)}: {type(error).__name__}: {error}; correct it") from error
    return module


def origin(error: BaseException, file: Path) -> str:
    """Return ``FILE, line N``: the last line of a file through which an error came."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f"{file}, line {lines[-1]}" if lines else str(file)
