"""What attribution methods there are, what they read, and which options they take.

A method is a file with a declaration ``METHOD = Method(...)`` and a function ``score(material, out, *, options)``: one
in `trakway.attribution.methods`, or a user's own, named in the experiment. Scores that come from elsewhere, an array in
a file, are a method too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from trakway.errors import UserError
from trakway.plan.declarations import declared, keyword_options
from trakway.plan.modalities import Modality, modality_of
from trakway.plan.places import is_own, split
from trakway.plan.suggestions import did_you_mean

FOLDER = Path(__file__).parents[1] / "attribution/methods"
VARIABLE = "METHOD"
CONTROL = "random"
NAME = re.compile("[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Method:
    """What a method says of itself.

    Attributes:
        reads: the inputs it works from, by name (see `trakway.attribution.inputs`); nothing else is loaded for it.
        per_step: whether its scores of an image differ from step to step of a trajectory.
        steps_only: made for a step: for a whole image it is another method, or nothing.
        label: in figures; the name with spaces where it is empty.
        color: in figures, ``#RRGGBB``; one of the rest where it is empty.
        marker: in figures, one of matplotlib's; likewise.
        needs: traits of the modality that it cannot do without.
        without: traits of modalities that it is not for.
        on_request: whether an experiment has it only where it names it.
    """

    reads: tuple[str, ...] = ()
    per_step: bool = False
    steps_only: bool = False
    label: str = ""
    color: str = ""
    marker: str = ""
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    on_request: bool = False


@dataclass(frozen=True)
class Chosen:
    """A method as an experiment uses it.

    Attributes:
        name: unique in the experiment; names its files and rows.
        method: the declaration.
        file: with the function; None for an array of scores.
        function: its name.
        options: of the function: a value each, or a list of candidates to choose among on tuning targets.
        scores: the file of an array (evaluated entries × n); None for a function.
        cpu_seconds: what the array cost, as its makers say; None where they don't.
        members: how many models of what it reads count, the first ones; None: all.
    """

    name: str
    method: Method
    file: Path | None = None
    function: str = "score"
    options: Mapping[str, Any] = field(default_factory=dict)
    scores: str | None = None
    cpu_seconds: float | None = None
    members: int | None = None

    @property
    def tuned(self) -> bool:
        """Whether it has options to choose among, which takes tuning targets and the estimation bank."""
        return any(isinstance(value, list) and len(value) > 1 for value in self.options.values())

    @property
    def own(self) -> bool:
        """Whether it is a user's own, a function or an array."""
        return self.file is None or self.file.parent != FOLDER

    def settings(self) -> dict:
        """Return the item of an experiment's ``methods`` that says all this, whatever the other sections hold."""
        if self.scores is not None:
            return {"name": self.name, "scores": self.scores, "cpu_seconds": self.cpu_seconds}
        own = self.file.parent != FOLDER
        method = f"{self.file}:{self.function}" if own else self.file.stem
        fewer = {"members": self.members} if self.members else {}
        return {"name": self.name, "method": method, "options": dict(self.options), **fewer}


@cache
def library_methods() -> dict[str, Method]:
    """Return the methods of the library by name; the random control comes last."""
    found = {file.stem: declared(file, VARIABLE, Method) for file in sorted(FOLDER.glob("[!_]*.py"))}
    names = sorted((name for name, method in found.items() if method), key=lambda name: (name == CONTROL, name))
    return {name: found[name] for name in names}


def allowed_methods(modality: Modality) -> list[str]:
    """Return the methods of the library that a modality can use: its main one first, the random control last."""
    names = [name for name, method in library_methods().items() if modality.has(method.needs, method.without)]
    return sorted(names, key=lambda name: name != modality.main)


def default_methods(modality: Modality) -> list[str]:
    """Return those of `allowed_methods` that an experiment has which names none."""
    return [name for name in allowed_methods(modality) if not library_methods()[name].on_request]


def methods_of(settings: dict) -> dict[str, Chosen]:
    """Return the methods of an experiment by name, in its order.

    Args:
        settings: sections ``task``, ``methods`` and, for options that no item of ``methods`` gives, ``scores``.

    Raises:
        UserError: a method or an option that there is none of, a file that is not there or declares nothing, two
            methods of one name.
    """
    items = settings.get("methods")
    items = default_methods(modality_of(settings)) if items is None else items
    chosen: dict[str, Chosen] = {}
    for place, item in enumerate(items):
        found = _chosen(item if isinstance(item, dict) else {"method": item}, settings, f"methods[{place}]")
        if found.name in chosen:
            raise UserError(
                f"methods[{place}]: found a second method {found.name}; allowed: one of a name. "
                "Give it another one: {name: ..., method: ...}"
            )
        chosen[found.name] = found
    return chosen


def _chosen(item: dict, settings: dict, key: str) -> Chosen:
    if item.get("scores") is not None:
        if "name" not in item or item.get("method") is not None:
            raise UserError(f"{key}: found {item}; allowed: name and scores, and no method, for an array of scores")
        whole = Method(per_step="steps" in modality_of(settings).traits)
        return Chosen(item["name"], whole, scores=item["scores"], cpu_seconds=item.get("cpu_seconds"))
    if item.get("method") is None:
        raise UserError(f"{key}: found {item}; allowed: method (a name or FILE.py:FUNCTION), or name and scores")
    file, function = _located(item["method"], modality_of(settings), key)
    method = library_methods()[file.stem] if file.parent == FOLDER else declared(file, VARIABLE, Method)
    if method is None:
        raise UserError(
            f"{file}: found no line METHOD = Method(...); allowed: one that says what {function} reads, e.g. "
            'METHOD = Method(reads=("features",)); add it, and `from trakway.plan import Method` above'
        )
    options = {**keyword_options(file, function)}
    given = item.get("options") or {}
    for option in given:
        if option not in options:
            raise UserError(
                f"{key}: options: found {option}; allowed: {', '.join(options) or 'none'}, the keyword parameters of "
                f"{function} in {file}. {did_you_mean(option, options)}"
            )
    options |= {name: value for name, value in settings.get("scores", {}).items() if name in options} | given
    for option, value in options.items():
        if value == []:
            raise UserError(f"{key}: options: {option}: found no candidate; allowed: a value, or a list of one or more")
    name = item.get("name") or (function if function != "score" else file.stem)
    if not NAME.fullmatch(name):
        raise UserError(
            f"{key}: found the name {name}; allowed: a letter, then letters, digits and _, since files are called so. "
            f"Give one: {{name: ..., method: {item['method']}}}"
        )
    return Chosen(name, method, file, function, options, members=item.get("members"))


def _located(text: str, modality: Modality, key: str) -> tuple[Path, str]:
    """Return (file, function) of what an experiment calls a method."""
    if is_own(text):
        path, function = split(text)
        return Path(path), function
    if text not in library_methods():
        allowed = allowed_methods(modality)
        raise UserError(
            f"{key}: found {text}; allowed: {', '.join(allowed)}, FILE.py:FUNCTION for a method of your own, or "
            f"{{name: ..., scores: FILE.npy}} for an array of scores. {did_you_mean(text, allowed)}"
        )
    return FOLDER / f"{text}.py", "score"


def method_of(settings: dict, name: str) -> Chosen:
    """Return one of `methods_of`.

    Raises:
        UserError: the experiment has none of the name.
    """
    found = methods_of(settings)
    if name not in found:
        raise UserError(
            f"methods: found no {name}, of which something is asked for; allowed: {', '.join(found)}. "
            f"{did_you_mean(name, found)}Add it to the methods of the experiment."
        )
    return found[name]


def method_names(settings: dict) -> list[str]:
    """Return the names of an experiment's methods."""
    return list(methods_of(settings))


def step_methods(settings: dict) -> list[str]:
    """Return the names of the experiment's methods whose scores differ from step to step."""
    return [name for name, chosen in methods_of(settings).items() if chosen.method.per_step]


def steps_only(settings: dict) -> list[str]:
    """Return the names of the experiment's methods that are made for a step and mean nothing for a whole image."""
    return [name for name, chosen in methods_of(settings).items() if chosen.method.steps_only]


def main_method(settings: dict) -> str:
    """Return the method that figures show and the ablation is about: the modality's, or else the first."""
    names, main = method_names(settings), modality_of(settings).main
    return main if main in names else names[0]


def score_settings(name: str, settings: dict) -> dict:
    """Return what decides the scores of a method: the seed, the modality, the method and its options."""
    return {"seed": settings["seed"], "task": settings["task"], "methods": [method_of(settings, name).settings()]}
