"""Functions and classes of files that belong to no package: a user's own."""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any

from trakway.errors import UserError
from trakway.plan.suggestions import did_you_mean


def load_from(file: Path, name: str) -> Any:
    """Return what a Python file calls ``name``; files beside it can be imported by it.

    Raises:
        UserError: the file cannot be run (tells the line), or has no such name.
    """
    module = _module(Path(file).resolve())
    if not hasattr(module, name):
        known = [key for key in vars(module) if not key.startswith("_")]
        raise UserError(f"{file}: found no {name}; allowed: {', '.join(known)}. {did_you_mean(name, known)}")
    return getattr(module, name)


@cache
def _module(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"trakway_own_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickling look classes up by their module
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        spec.loader.exec_module(module)
    except UserError:
        raise
    except Exception as error:
        trace, line = error.__traceback__, None
        while trace:
            line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(file) else line
            trace = trace.tb_next
        at = f", line {line}" if line else ""
        raise UserError(f"{file}{at}: {type(error).__name__} while it was loaded: {error}; mend it") from error
    return module
