"""What is wrong with a setting, in words: the key, what was found, what is allowed, what to do next."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from trakway.config.schemas import Validator
from trakway.errors import UserError
from trakway.plan.places import allowed, builtin
from trakway.plan.suggestions import did_you_mean

Fault = tuple[str, str, str]
"""What a check of complete settings finds wrong: the key, dotted, with list positions (``removal.methods.1``), what is
allowed there, and a sentence of advice."""


class Problem(NamedTuple):
    """One fault: where (keys and list positions), the value there, what may stand there, and a sentence of advice."""

    path: tuple[str | int, ...]
    found: str
    allowed: str
    advice: str

    def line(self, origin: str) -> str:
        """Return the message, on one line; ``origin`` is the file."""
        return f"{origin}: {dotted(self.path)}: found {self.found}; allowed: {self.allowed}. {self.advice}"


def raise_all(lines: Iterable[str]) -> None:
    """Raise one UserError with every message, one a line, if there is any."""
    lines = list(dict.fromkeys(lines))
    if lines:
        raise UserError("\n".join(lines))


def dotted(path: Iterable[str | int]) -> str:
    """Return a path as people write it: ``removal.methods[1]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def value_at(settings: dict, key: str) -> Any:
    """Return the value at a dotted key, in which a number is a position in a list."""
    for part in key.split("."):
        settings = settings[int(part) if part.isdigit() else part]
    return settings


def absent(key: str, path: str) -> Iterator[Fault]:
    """Yield the fault of a key that names a file or folder which is not there."""
    if not Path(path).expanduser().exists():
        yield key, "a file or folder that is there", "Correct the path."


def show(value: Any) -> str:
    """Return a value as YAML would have it, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def describe(schema: dict) -> str:
    """Say in words what a schema allows."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if "enum" in schema:
        text = "one of " + ", ".join("null" if choice is None else str(choice) for choice in schema["enum"])
    elif "names" in schema:
        text = allowed(schema["names"])
    elif "integer" in types or "number" in types:
        words = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
        limits = [f"{sign} {schema[key]}" for key, sign in words.items() if key in schema]
        text = " ".join(["a whole number" if "integer" in types else "a number", " and ".join(limits)]).strip()
    elif "array" in types:
        least, most = schema.get("minItems"), schema.get("maxItems")
        text = "a list" + (f" of {'' if least == most else 'at least '}{least}" if least else "")
        text += " without repeats" if schema.get("uniqueItems") else ""
        text += f", each {describe(schema['items'])}"
    elif "object" in types:
        among = "with" if schema.get("additionalProperties") else "with keys among"
        text = f"a mapping {among} {', '.join(schema['properties'])}" if "properties" in schema else "a mapping"
        text += f", at least {schema['minProperties']}" if "minProperties" in schema else ""
    elif "boolean" in types:
        text = "true or false"
    else:
        text = "text" + (f" of the form {schema['pattern']}" if "pattern" in schema else "")
    return text + (", or null" if "null" in types and "enum" not in schema else "")


def schema_problems(value: Any, schema: dict, prefix: tuple = ()) -> list[Problem]:
    """Return all that the schema finds wrong with ``value``, one problem a place, sorted by place."""
    problems = {}
    for error in Validator(schema).iter_errors(value):
        path = (*prefix, *error.absolute_path)
        if error.validator == "additionalProperties":
            known = error.schema["properties"]
            for key in set(error.instance) - set(known):
                problems[*path, key] = _unknown_key((*path, key), error.instance[key], known)
        elif error.validator == "required":
            for key in set(error.validator_value) - set(error.instance):
                sub = error.schema["properties"][key]
                allowed = describe(sub)
                problems[*path, key] = Problem((*path, key), "nothing", allowed, _sentence(sub) + "Add this key.")
        else:
            problems[path] = Problem(
                path, show(error.instance), describe(error.schema), _advice(error, in_tier=bool(prefix))
            )
    return [problems[path] for path in sorted(problems, key=lambda path: [str(part) for part in path])]


def _unknown_key(path: tuple, value: Any, known: Iterable[str]) -> Problem:
    advice = did_you_mean(path[-1], known) + "Rename or remove this key."
    return Problem(path, f"an unknown key (with the value {show(value)})", ", ".join(known), advice)


def _sentence(schema: dict) -> str:
    text = schema.get("description", "")
    return f"{text[0].upper()}{text[1:].rstrip('.')}. " if text else ""


def _advice(error, in_tier: bool) -> str:
    """Say what the key is for and what to do; under a tier, removing a key uncovers the value it was laid over."""
    value, schema = error.instance, error.schema
    text = _sentence(schema)
    types = str(schema.get("type", ""))
    if "enum" in schema:
        text += did_you_mean(value, [choice for choice in schema["enum"] if choice is not None])
    elif "names" in schema:
        text += did_you_mean(value, builtin(schema["names"]))
    elif isinstance(value, str) and ("integer" in types or "number" in types) and _is_numeral(value):
        text += "Write the number without quotes. "
    elif isinstance(value, float) and "integer" in types and value.is_integer():
        text += f"Write {int(value)}. "
    elif "string" in types and isinstance(value, bool | int | float):
        text += "Put it in quotes if text is meant. "
    if in_tier or "default" not in schema:
        return text + "Change it."
    return f"{text}Change it, or remove it for the default, {show(schema['default'])}."


def _is_numeral(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
