"""An experiment's methods: files of the user's own, and what fits the modality."""

from collections.abc import Sequence
from pathlib import Path

from trakway.attribution.inputs import INPUTS
from trakway.config.problems import schema_problems, show
from trakway.config.schemas import load_schema
from trakway.errors import UserError
from trakway.plan import CONTROL, allowed_methods, methods_of, modalities, modality_of
from trakway.plan.declarations import keyword_options, takes
from trakway.plan.methods import FOLDER, Chosen
from trakway.plan.options import misfit
from trakway.plan.places import located, shortest
from trakway.plan.suggestions import did_you_mean


def with_own_files(items: list | None, folder: Path) -> list | None:
    """Return the items of ``methods`` with the paths of files resolved."""
    return items and [_resolved(item, folder) for item in items]


def _resolved(item: str | dict, folder: Path) -> str | dict:
    if isinstance(item, str):
        return located(item, folder)
    found = dict(item)
    if isinstance(item.get("method"), str):
        found["method"] = located(item["method"], folder)
    if isinstance(item.get("scores"), str):
        found["scores"] = shortest(folder / Path(item["scores"]).expanduser())
    return found


def check_methods(settings: dict) -> None:
    """Check that the methods are there, that the modality has what they read, and their options.

    Raises:
        UserError: tells what was found, what is allowed and what to do.
    """
    modality = modality_of(settings)
    _check_traits(f"task: {settings['task']}: MODALITY: traits", modality.traits)
    for name, chosen in methods_of(settings).items():
        if chosen.scores is not None and not Path(chosen.scores).is_file():
            raise UserError(f"methods: {name}: scores: found no file {chosen.scores}; allowed: an array saved by numpy")
        if name == CONTROL and chosen.file != FOLDER / f"{CONTROL}.py":
            raise UserError(f"methods: found another method called {CONTROL}, the control's name; give it another one")
        for read in chosen.method.reads:
            if read not in INPUTS:
                raise UserError(
                    f"{chosen.file}: METHOD: reads: found {read}; allowed: {', '.join(INPUTS)}. "
                    f"{did_you_mean(read, INPUTS)}"
                )
        _check_traits(f"methods: {name}: METHOD: needs, without", chosen.method.needs + chosen.method.without)
        needs = [chosen.method.needs, *(INPUTS[read].needs for read in chosen.method.reads)]
        if not all(modality.has(each, chosen.method.without) for each in needs):
            allowed = allowed_methods(modality)
            raise UserError(
                f"methods: found {name}, which is not for the task {settings['task']}; allowed: {', '.join(allowed)}. "
                f"{did_you_mean(name, allowed)}Replace it, or take it out."
            )
        _check_options(chosen)


def _check_traits(where: str, traits: Sequence[str]) -> None:
    """Refuse what is nearly a trait of the library; other words are the user's own."""
    known = sorted({trait for modality in modalities().values() for trait in modality.traits})
    for trait in traits:
        if trait not in known and (meant := did_you_mean(trait, known)):
            raise UserError(f"{where}: found {trait}; allowed: {', '.join(known)}, or quite another word. {meant}")


def _check_options(chosen: Chosen) -> None:
    """Check values of options: the library's as the keys of the same name, those of others by their defaults."""
    if chosen.file is None:
        return
    if not takes(chosen.file, chosen.function, 2):
        raise UserError(
            f"{chosen.file}: {chosen.function}: allowed: two parameters, and options by name alone:"
            f" def {chosen.function}(material, out, *, option=1.0)"
        )
    keys = _keys() if chosen.file.parent == FOLDER else {}
    defaults = keyword_options(chosen.file, chosen.function)
    for option, value in chosen.options.items():
        default = defaults[option]
        for candidate in value if isinstance(value, list) else [value]:
            wrong = []
            if option in keys:
                wrong = [(one.allowed, one.advice) for one in schema_problems(candidate, keys[option], (option,))]
            elif isinstance(default, bool | int | float | str):
                words = misfit(candidate, float(default) if type(default) is int else default)
                wrong = [(words, f"Change it, or leave it out for {show(default)}.")] if words else []
            for allowed, advice in wrong:
                raise UserError(
                    f"methods: {chosen.name}: options: {option}: found {show(candidate)}; allowed: {allowed}. {advice}"
                )


def _keys() -> dict[str, dict]:
    """Return what the keys of ``scores`` and ``metagradient`` may be, a candidate each."""
    sections = load_schema("experiment")["properties"]
    found = sections["scores"]["properties"] | sections["metagradient"]["properties"]
    return {key: schema.get("items", schema) for key, schema in found.items()}
