"""YAML and JSON files as plain Python values, with every fault named by file and line."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import yaml

from trakway.errors import UserError


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Scalars as YAML 1.2 reads them; keys are text and never repeated.

    YAML 1.1, PyYAML's default, reads ``1e-3`` as text, ``no`` as false, ``010`` as eight and ``1:30`` as ninety.
    """

    yaml_implicit_resolvers: dict = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        lines: dict = {}
        for key, _ in node.value:
            problem = None
            if key.tag != "tag:yaml.org,2002:str":
                problem = f"a key must be text, not {key.value!r}"
            elif key.value in lines:
                problem = f"the key {key.value!r} is already in line {lines[key.value]}; keep one of the two"
            if problem:
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            lines[key.value] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9][0-9_]*", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
]:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value.replace("_", "")))
_Loader.add_constructor(
    "tag:yaml.org,2002:float", lambda _, node: float(re.sub(r"\.(?=inf|nan)", "", node.value.lower().replace("_", "")))
)


def read_mapping(path: str | os.PathLike) -> dict:
    """Read a YAML file, or a JSON file by its suffix, which holds a mapping.

    Raises:
        UserError: the file cannot be read, is not YAML or JSON, repeats a key, or holds something else.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        beside = sorted(p.name for p in path.parent.glob("*") if p.suffix in (".yaml", ".yml", ".json"))
        raise UserError(
            f"{path}: cannot be read ({reason}); allowed: a YAML or JSON file of text. "
            f"Check the name; beside it: {', '.join(beside) or 'no such file'}."
        ) from None
    if path.suffix == ".json":
        return parse_json(text, str(path))
    try:
        value = yaml.load(text, _Loader)  # a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        said = "; ".join(part for part in (error.context, error.problem) if part)
        raise UserError(f"{path}: {line}not valid YAML: {said}. Correct this line or the one above it.") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}. Correct the file.") from None
    try:
        json.dumps(value)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{path}: found what JSON cannot hold ({error}); allowed: text, numbers, true, false, null, lists and "
            "mappings. Remove tags (!!) and aliases (*) that point to what contains them."
        ) from None
    return _mapping(value, str(path))


def parse_json(text: str, origin: str) -> dict:
    """Read JSON text which holds a mapping; ``origin`` names it in messages.

    Raises:
        UserError: it is not JSON, repeats a key, or holds something else.
    """
    try:
        return _mapping(json.loads(text, object_pairs_hook=_unique), origin)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{origin}: line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}. Correct it."
        ) from None
    except ValueError as error:
        raise UserError(f"{origin}: {error}") from None


def _unique(pairs: list[tuple]) -> dict:
    repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if repeated:
        raise ValueError(f"the key {repeated[0]!r} is given more than once; keep one.")
    return dict(pairs)


def _mapping(value, origin: str) -> dict:
    if not isinstance(value, dict):
        found = "nothing" if value is None else f"a {type(value).__name__}"
        raise UserError(f"{origin}: found {found}; allowed: a mapping of keys to values. Write it as `key: value`.")
    return value
