"""The source files that decide a result, found from what its program imports.

Rooms that only carry numbers from one place to another are left out: an edit to a progress bar trains nothing anew.
"""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from trakway.plan.declarations import parsed

PACKAGE = Path(__file__).parents[1]
CARRIERS = ("config", "runtime", "storage", "errors.py")
"""Parts of the library that read, write, check and report, but compute nothing."""

OTHER_LANGUAGES = ("*.cu", "*.cuh", "*.html")


def code_files(*programs: str | os.PathLike) -> list[Path]:
    """Return the programs and all that they import of this library, and of files beside themselves; sorted.

    Imports within functions count. A name that a package takes from one of its modules stands for that module: who
    imports a data set's reader does not depend on all other data sets. Code in other languages belongs to the modules
    beside it.

    Args:
        programs: Python files, of this repository or a user's own.

    Raises:
        UserError: one of them is not Python (names the line).
    """
    found: set[Path] = set()
    waiting = [Path(program).resolve() for program in programs]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _imported(file)
    beside = {other for folder in {file.parent for file in found} for pattern in OTHER_LANGUAGES
              for other in folder.glob(pattern)}  # fmt: skip
    return sorted(found | beside)


@cache
def _imported(file: Path) -> list[Path]:
    """Return the files that a file imports, the carriers left out."""
    files = [module for name in _names(file) if (module := _module(name, file.parent))]
    return [module for module in dict.fromkeys(files) if not _carries(module)]


def _carries(file: Path) -> bool:
    return file.is_relative_to(PACKAGE) and file.relative_to(PACKAGE).parts[0] in CARRIERS


def imported(file: Path) -> dict[str, Path]:
    """Return the names that a file imports, and the files of this library or beside it that they stand for."""
    bound = {
        alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name): name
        for node in ast.walk(parsed(file))
        for alias, name in _aliases(node)
    }
    return {short: found for short, name in bound.items() if (found := _module(name, file.parent))}


def _names(file: Path) -> Iterator[str]:
    """Yield the dotted names of what a file imports, e.g. ``trakway.data.ImageData``."""
    for node in ast.walk(parsed(file)):
        yield from (name for _, name in _aliases(node))


def _aliases(node: ast.AST) -> Iterator[tuple[ast.alias, str]]:
    """Yield what an import brings, and its dotted name; ``from .helper`` is a file beside, as ``from helper`` is."""
    if isinstance(node, ast.Import):
        yield from ((alias, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level < 2:
        before = f"{node.module}." if node.module else ""
        yield from ((alias, before + alias.name) for alias in node.names)


@cache
def _module(name: str, folder: Path) -> Path | None:
    """Return the file of a dotted name, of a module or of something in one; None for what is not ours."""
    first, *rest = name.split(".")
    here = PACKAGE if first == PACKAGE.name else folder / first
    if not (here / "__init__.py").exists():
        file = folder / f"{first}.py"
        return file.resolve() if file.exists() else None
    for place, part in enumerate(rest):
        if (here / part / "__init__.py").exists():
            here = here / part
        elif (file := here / f"{part}.py").exists():
            return file
        else:
            return _origin(here / "__init__.py", rest[place])
    return here / "__init__.py"


def _origin(package: Path, name: str) -> Path:
    """Return the file from which a package has a name: another one where it only passes it on."""
    for node in parsed(package).body:
        if isinstance(node, ast.ImportFrom) and node.module and any((a.asname or a.name) == name for a in node.names):
            return _module(f"{node.module}.{name}", package.parent) or package
    return package
