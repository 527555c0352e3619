"""What a file says of itself, read without running it.

A method, a modality, a figure or a table is declared in its own file by one line ``NAME = Kind(key=value, ...)`` of
plain values. The workflow reads these lines at the start of every job, when nothing heavy may be imported, and reads
a user's file before any of it runs.
"""

import ast
import dataclasses
import os
from functools import cache
from pathlib import Path
from typing import TypeVar

from trakway.errors import UserError
from trakway.plan.suggestions import did_you_mean

Kind = TypeVar("Kind")


@cache
def parsed(file: str | os.PathLike) -> ast.Module:
    """Return the syntax tree of a Python file.

    Raises:
        UserError: there is no such file, or it is not Python (names the line).
    """
    try:
        return ast.parse(Path(file).read_bytes(), str(file))
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); allowed: a Python file; check its name") from None
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if getattr(error, "lineno", None) else ""
        raise UserError(f"{file}{line}: not valid Python: {getattr(error, 'msg', error)}; correct it") from None


@cache
def declared(file: str | os.PathLike, name: str, kind: type[Kind]) -> Kind | None:
    """Return the declaration ``name = Kind(...)`` of a file, None where it has none.

    Args:
        file: Python file.
        name: of the variable, e.g. ``METHOD``.
        kind: a dataclass whose fields are what may be declared.

    Raises:
        UserError: the value is not a call of ``kind`` with known keys and plain values (names file and line).
    """
    for node in parsed(file).body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", None) for target in node.targets] == [name]:
            return _called(file, name, kind, node.value)
    return None


def _called(file, name: str, kind: type[Kind], value: ast.expr) -> Kind:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    where = f"{file}, line {value.lineno}: {name}"
    called = value.func if isinstance(value, ast.Call) else None
    if getattr(called, "id", getattr(called, "attr", None)) != kind.__name__ or value.args:
        raise UserError(
            f"{where}: found {ast.unparse(value)[:60]}; allowed: {kind.__name__}(key=value, ...) "
            f"with keys among {', '.join(fields)}"
        )
    found = {}
    for keyword in value.keywords:
        if keyword.arg not in fields:
            raise UserError(
                f"{where}: found an unknown key {keyword.arg}; allowed: {', '.join(fields)}. "
                f"{did_you_mean(keyword.arg, fields)}Rename or remove it."
            )
        try:
            found[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError:
            raise UserError(
                f"{file}, line {keyword.value.lineno}: {name}: {keyword.arg}: found {ast.unparse(keyword.value)[:60]}; "
                "allowed: a plain value (text, numbers, True, False, None, lists, tuples, mappings), since the file is "
                "read without being run"
            ) from None
        if isinstance(fields[keyword.arg].default, tuple) and isinstance(found[keyword.arg], str):
            raise UserError(
                f"{file}, line {keyword.value.lineno}: {name}: {keyword.arg}: found the text {found[keyword.arg]!r}; "
                f"allowed: a tuple, ({found[keyword.arg]!r},): mind the comma"
            )
    missing = [
        key for key, field in fields.items()
        if key not in found and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]  # fmt: skip
    if missing:
        raise UserError(f"{where}: found no {missing[0]}; allowed: {kind.__name__}({missing[0]}=..., ...); add it")
    return kind(**found)


def parameters(file: str | os.PathLike, function: str) -> dict[str, bool]:
    """Return the named parameters of a function: name to whether it has to be given.

    Raises:
        UserError: there is no such function at the top of the file.
    """
    arguments = _function(file, function).args
    plain = [*arguments.posonlyargs, *arguments.args]
    required = [True] * (len(plain) - len(arguments.defaults)) + [False] * len(arguments.defaults)
    found = {argument.arg: needed for argument, needed in zip(plain, required, strict=True)}
    return found | {a.arg: d is None for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)}


@cache
def keyword_options(file: str | os.PathLike, function: str) -> dict[str, object]:
    """Return the options of a function, its keyword-only parameters: name to default.

    Raises:
        UserError: there is no such function at the top of the file, or a default is missing or no plain value.
    """
    arguments = _function(file, function).args
    options = {}
    for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        try:
            options[parameter.arg] = ast.literal_eval(default)
        except (ValueError, TypeError):
            raise UserError(
                f"{file}, line {parameter.lineno}: {function}({parameter.arg}): allowed: a default of a plain value, "
                "since options are listed without running the file"
            ) from None
    return options


def takes(file: str | os.PathLike, function: str, count: int) -> bool:
    """Whether a function can be called with so many values by position."""
    arguments = _function(file, function).args
    most = len(arguments.posonlyargs) + len(arguments.args)
    return most - len(arguments.defaults) <= count and (count <= most or arguments.vararg is not None)


def _function(file: str | os.PathLike, name: str) -> ast.FunctionDef:
    functions = {node.name: node for node in parsed(file).body if isinstance(node, ast.FunctionDef)}
    if name not in functions:
        raise UserError(
            f"{file}: found no function {name}; allowed: {', '.join(functions) or 'none is defined'}. "
            f"{did_you_mean(name, functions)}"
        )
    return functions[name]
