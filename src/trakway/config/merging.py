"""Put settings together: one mapping over another, and the schema's defaults under both."""

import copy

from trakway.config.schemas import Validator


def deep_merge(base: dict, over: dict) -> dict:
    """Return a new mapping: ``over`` laid over ``base``.

    Mappings are merged key by key; anything else in ``over``, lists and null included, replaces what was there.
    Neither argument is changed or shared.
    """
    merged = {key: copy.deepcopy(value) for key, value in base.items()}
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = deep_merge(merged[key], value) if both else copy.deepcopy(value)
    return merged


def complete(value, schema: dict):
    """Return ``value`` with the schema's defaults, its order of keys, and floats where it asks for numbers.

    The order and the floats make equal settings print alike (``1`` and ``1.0``, keys in any order): the workflow
    compares printed settings to decide what to rebuild. Keys that the schema does not allow are left out and values of
    a wrong type stay as they are: validation reports both.
    """
    if isinstance(value, dict) and "properties" in schema:
        applies = "if" in schema and Validator(schema["if"]).is_valid(value)
        special = schema["then"]["properties"] if applies else {}
        completed = {}
        for key, sub in schema["properties"].items():
            default = special.get(key, {}).get("default", sub.get("default", ...))
            if key in value:
                completed[key] = complete(value[key], sub)
            elif sub.get("type") == "object":
                completed[key] = complete({}, sub)
            elif default is not ...:
                completed[key] = complete(default, sub)
        if schema.get("additionalProperties"):
            completed |= {key: copy.deepcopy(value[key]) for key in value if key not in completed}
        return completed
    if isinstance(value, list):
        return [complete(item, schema.get("items", {})) for item in value]
    types = schema.get("type", [])
    wants_number = "number" in ([types] if isinstance(types, str) else types)
    if wants_number and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**1023:
        return float(value)
    return value
