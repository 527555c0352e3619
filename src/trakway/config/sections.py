"""Hand parts of the settings from the workflow to the scripts."""

import copy
import os
from pathlib import Path

from trakway.config.problems import raise_all, schema_problems
from trakway.config.reading import parse_json, read_mapping
from trakway.config.schemas import load_schema, relaxed
from trakway.errors import UserError


def section(settings: dict, *names: str) -> dict:
    """Return just the named sections, in the order of the names, as a copy.

    Meant for the ``params`` of a rule: it is rebuilt when, and only when, these values change. A dotted name takes a
    part of a section: ``section(s, "seed", "bank.evaluation")`` is ``{"seed": ..., "bank": {"evaluation": ...}}``.

    Raises:
        ValueError: ``execution`` is asked for, which must never decide a result.
        KeyError: there is no such section.
    """
    chosen: dict = {}
    for name in names:
        *outer, last = name.split(".")
        if name.split(".")[0] == "execution":
            raise ValueError("execution never changes a result and must not be among the values that decide one")
        source, place = settings, chosen
        for part in outer:
            source = source[part]
            place = place.setdefault(part, {})
        place[last] = copy.deepcopy(source[last])
    return chosen


def read_settings(text_or_path: str | os.PathLike, schemas: str | os.PathLike | None = None) -> dict:
    """Read the sections of an experiment from JSON text, or from a JSON or YAML file.

    Every section and key must be one the schema knows and hold what it allows; none is required and no default is
    filled in: ``python -m trakway.config FILE TIER`` prints complete settings.

    Raises:
        UserError: every fault found, one a line.
    """
    is_text = isinstance(text_or_path, str) and text_or_path.lstrip().startswith(("{", "["))
    origin = "settings" if is_text else str(text_or_path)
    settings = parse_json(text_or_path, origin) if is_text else read_mapping(Path(text_or_path))
    if "tiers" in settings:
        raise UserError(
            f"{origin}: tiers: found an experiment with its tiers; allowed: the settings of one tier. "
            f"Print them with `python -m trakway.config {origin} TIER > settings.json` and give that file."
        )
    schema = relaxed(load_schema("experiment", schemas), without=("tiers",))
    raise_all(problem.line(origin) for problem in schema_problems(settings, schema))
    return settings
