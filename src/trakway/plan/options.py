"""Options of functions that an experiment names: the keyword parameters of the function."""

import json
from collections.abc import Iterator

from trakway.plan.declarations import keyword_options
from trakway.plan.places import place
from trakway.plan.suggestions import did_you_mean

FIXED = {
    "model": ("name",),
    "dataset": ("name", "source", "path", "classes", "train_size", "test_size", "image_size"),
}
"""The keys of a section that are no options."""

WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a mapping",
}


def options_of(room: str, section: dict) -> dict:
    """Return the options of a section's function with their defaults: what is not given, or null, takes its default."""
    given = {key: value for key, value in section.items() if key not in FIXED[room] and value is not None}
    return _defaults(room, section) | given


def completed(room: str, section: dict) -> dict:
    """Return a section with all options of its function and no others' null: equal settings print alike."""
    return {key: section[key] for key in FIXED[room] if key in section} | options_of(room, section)


def option_faults(room: str, section: dict, key: str) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with the options of a section: key, what is allowed, advice."""
    known = _defaults(room, section)
    for option, value in section.items():
        if option in FIXED[room] or value is None:
            continue
        if option not in known:
            listed = ", ".join(known) or "none"
            yield (
                f"{key}.{option}",
                f"options of {section['name']}: {listed}",
                f"{did_you_mean(option, known)}Rename or remove it.",
            )
        elif words := misfit(value, known[option]):
            yield f"{key}.{option}", words, f"Change it, or remove it for the default, {json.dumps(known[option])}."


def _defaults(room: str, section: dict) -> dict:
    # As JSON has them: settings travel so.
    return json.loads(json.dumps(keyword_options(*place(room, section["name"]))))


def misfit(value: object, default: object) -> str:
    """Return what is allowed where a value is not of the default's kind; a list has items like the default's."""
    if default is None or type(value) is type(default) or (type(default) is float and type(value) is int):
        wrong = [item for item in (value if isinstance(value, list) and default else ()) if misfit(item, default[0])]
        return f"a list, each {WORDS[type(default[0])]}" if wrong else ""
    return WORDS[type(default)]
