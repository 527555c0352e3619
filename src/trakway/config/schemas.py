"""The JSON Schemas (draft 2020-12, written in YAML) that say what a setting may be."""

import copy
import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema

from trakway.config.reading import read_mapping
from trakway.errors import UserError
from trakway.plan.places import allowed, builtin, is_own

FOLDER = Path(__file__).resolve().parents[3] / "config" / "schemas"  # the package is used from a clone


def _is_integer(_, value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_, value) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and abs(value) <= sys.float_info.max  # neither infinite nor NaN


def _names(_, room: str, value, __) -> Iterator[jsonschema.ValidationError]:
    """Check the keyword ``names: ROOM``: a name that the library has, or FILE.py:NAME."""
    if isinstance(value, str) and not is_own(value) and value not in builtin(room):
        yield jsonschema.ValidationError(f"{value!r} is not {allowed(room)}")


# JSON Schema takes 8.0 for an integer; `range` does not.
Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    validators={"names": _names},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)


def load_schema(name: str, folder: str | os.PathLike | None = None) -> dict:
    """Read the schema ``name`` (``"config"`` or ``"experiment"``) from ``folder``.

    The result is shared between calls: do not change it.
    """
    return _read(Path(folder or FOLDER) / f"{name}.schema.yaml")


@functools.cache
def _read(path: Path) -> dict:
    if not path.is_file():
        raise UserError(
            f"{path}: this schema is missing; allowed: the folder config/schemas of a clone of the repository. "
            "Run from a clone (`pip install -e .`), or pass the folder as `schemas`."
        )
    return read_mapping(path)


def relaxed(schema: dict, without: tuple[str, ...] = ()) -> dict:
    """Return the schema of a part: nothing is required, and the top-level keys ``without`` are not allowed."""
    schema = copy.deepcopy(schema)

    def drop(node) -> None:
        node.pop("required", None)
        for sub in node.get("properties", {}).values():
            drop(sub)

    drop(schema)
    for key in without:
        del schema["properties"][key]
    return schema
