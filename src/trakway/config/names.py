"""What an experiment names, in the library or in files of the user's own: found, checked, and completed."""

import os
from collections.abc import Iterator
from pathlib import Path

from trakway.config.problems import value_at
from trakway.errors import UserError
from trakway.plan.code import code_files
from trakway.plan.declarations import keyword_options
from trakway.plan.ensembles import ALONE
from trakway.plan.modalities import modality
from trakway.plan.options import completed
from trakway.plan.places import located, place, shortest

NAMED = {
    "task": "task",
    "model.name": "model",
    "dataset.name": "dataset",
    "autoencoder.model.name": "model",
    "domain.model.name": "model",
}
"""The keys that name something defined in a file, and what."""


OWN_PATHS = {
    "dataset": ("path", "test"),
    "model": ("pretrained", "text_encoder"),
    "autoencoder": ("pretrained",),
    "members": ("checkpoints",),
}
"""Options that name files or folders of the user's own, which may lie beside the experiment."""


def locate(settings: dict, folder: str | os.PathLike) -> None:
    """Say where the user's own files are, which an experiment gives relative to its folder."""
    for key in NAMED:
        *outer, last = key.split(".")
        section = _section(settings, outer)
        if isinstance(section, dict) and isinstance(section.get(last), str):
            section[last] = located(section[last], folder)
    for name, section in settings.items():
        if name in OWN_PATHS and isinstance(section, dict):
            section |= {key: _beside(section[key], folder) for key in OWN_PATHS[name] if key in section}


def name_faults(settings: dict) -> Iterator[tuple[str, str]]:
    """Yield the keys whose files are not there, or do not define what is named, and what is wrong."""
    for key, room in NAMED.items():
        outer, _, inner = key.partition(".")
        if inner == "model.name" and not (settings[outer] and settings[outer]["model"]):
            continue
        name = value_at(settings, key)
        try:
            if room == "task":
                modality(name)
            else:
                keyword_options(*place(room, name))
            code_files(place(room, name).file)  # what it imports of the user's own is Python too
        except UserError as error:
            yield key, str(error)


def complete_options(settings: dict) -> None:
    """Lay the options of networks and data sets over their functions' defaults."""
    settings["model"] = completed("model", settings["model"])
    settings["dataset"] = completed("dataset", settings["dataset"])
    for name in ALONE:
        if settings[name] and settings[name]["model"]:
            settings[name]["model"] = completed("model", settings[name]["model"])


def _beside(path: object, folder: str | os.PathLike) -> object:
    """Return the path of what lies beside the experiment; any other one, of the working directory, as it is."""
    if isinstance(path, list):
        return [_beside(one, folder) for one in path]
    if not isinstance(path, str) or not path or not (Path(folder) / path).exists():
        return path
    return shortest(Path(folder) / path)


def _section(settings: dict, outer: list[str]) -> dict | None:
    for part in outer:
        settings = settings.get(part) if isinstance(settings, dict) else None
    return settings
