"""Where the things that an experiment names are defined: in this library, or in a file of the user's own.

A built-in task, model or data set is a file of its room, found by its name. The user's own is ``FILE.py:NAME``.
"""

import ast
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from trakway.errors import UserError
from trakway.plan.declarations import parsed
from trakway.plan.suggestions import did_you_mean

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Room:
    """A kind of thing that experiments name.

    Attributes:
        folder: of the library, with one file each.
        pattern: the name of what the file of ``{name}`` defines, or ``{Name}`` in capitals.
        kind: what is defined, in words.
        nodes: likewise, in Python's syntax tree.
        mark: a variable that says that a file of the folder is one of them; "" where the definition says so itself.
    """

    folder: str
    pattern: str
    kind: str
    nodes: tuple[type[ast.stmt], ...]
    mark: str = ""


_FUNCTION = ("function", (ast.FunctionDef,))
ROOMS = {
    "task": Room("tasks", "{Name}", "class", (ast.ClassDef,), "MODALITY"),
    "model": Room("models", "build", *_FUNCTION),
    "dataset": Room("data", "open_{name}", *_FUNCTION, "DATASET"),
}


class Place(NamedTuple):
    """A function or class: its name, and the file that defines it."""

    file: Path
    name: str


def is_own(name: str) -> bool:
    """Whether a name means something in a file of the user's own."""
    return ".py:" in name


def split(name: str) -> tuple[str, str]:
    """Return file and name of ``FILE.py:NAME``."""
    file, _, inner = name.rpartition(":")
    return file, inner


@cache
def builtin(room: str) -> dict[str, Place]:
    """Return what the library has of a kind, by name."""
    files = sorted((PACKAGE / ROOMS[room].folder).glob("*.py"))
    places = {file.stem: Place(file, _inner(room, file.stem)) for file in files}
    return {name: place for name, place in places.items() if _is_one(room, place)}


@cache
def place(room: str, name: str) -> Place:
    """Return where a task, model or data set is defined.

    Args:
        room: ``task``, ``model`` or ``dataset``.
        name: a built-in one's, or ``FILE.py:NAME``.

    Raises:
        UserError: there is no such thing, or no such file, or it is not Python.
    """
    if not is_own(name):
        if name not in builtin(room):
            key = room if room == "task" else f"{room}.name"
            raise UserError(f"{key}: found {name!r}; allowed: {allowed(room)}. {did_you_mean(name, builtin(room))}")
        return builtin(room)[name]
    file, inner = split(name)
    found, kind = _defined(file, ROOMS[room].nodes), ROOMS[room].kind
    if inner not in found:
        raise UserError(
            f"{file}: found no {kind} {inner}; allowed: {', '.join(found) or f'none is defined (add a {kind})'}. "
            f"{did_you_mean(inner, found)}"
        )
    return Place(Path(file).resolve(), inner)


def allowed(room: str) -> str:
    """Return in words what an experiment may name."""
    return f"one of {', '.join(builtin(room))}, or FILE.py:NAME, a {ROOMS[room].kind} of your own"


def located(name: str, folder: str | os.PathLike) -> str:
    """Return a name with the file of the user's own, which is given relative to a folder, as `shortest` says it."""
    if not is_own(name):
        return name
    file, inner = split(name)
    return f"{shortest(Path(folder) / Path(file).expanduser())}:{inner}"


def shortest(file: str | os.PathLike) -> str:
    """Return a path relative to the working directory if it lies below it, else absolute."""
    whole = Path(os.path.normpath(Path(file).absolute()))
    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole)


def _inner(room: str, name: str) -> str:
    capitals = "".join(part.capitalize() for part in name.split("_"))
    return ROOMS[room].pattern.format(name=name, Name=capitals)


def defines(file: str | os.PathLike, function: str) -> bool:
    """Whether a file has a function at its top."""
    return function in _defined(file, (ast.FunctionDef,))


def _is_one(room: str, found: Place) -> bool:
    mark = ROOMS[room].mark
    variables = [ast.unparse(node.targets[0]) for node in parsed(found.file).body if isinstance(node, ast.Assign)]
    return (not mark or mark in variables) and found.name in _defined(found.file, ROOMS[room].nodes)


def _defined(file: str | os.PathLike, nodes: tuple[type[ast.stmt], ...]) -> list[str]:
    """Return the names that a file defines at its top."""
    return [node.name for node in parsed(file).body if isinstance(node, nodes)]
