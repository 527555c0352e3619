"""The parts of a report, figures and tables: what both declare, and how they are found."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from trakway.errors import UserError
from trakway.plan.declarations import declared, parameters
from trakway.plan.methods import main_method, steps_only
from trakway.plan.modalities import modalities, modality_of
from trakway.plan.suggestions import did_you_mean

COMPUTED = {
    "{main}": main_method,
    "{steps_only}": steps_only,
    "{border}": lambda settings: modality_of(settings).has(("border",)),
}
"""What is asked of the settings as a whole: the main method's name, the methods that mean nothing for a whole image,
and whether outputs have a border that they can cross."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a figure or a table says of itself.

    Attributes:
        section: of the report in which it stands.
        caption: what it shows and how to read it (reStructuredText).
        reads: what its function is given from files: parameter → pattern of paths below the experiment's folder, see
            `trakway.report.reads.files`. A table arrives as a DataFrame, an array as a memory map, JSON as it is, the
            folders ``data/`` and ``targets/`` as paths, several files as a mapping.
        settings: what it is given from the settings: parameter → key, ``lds.level``, or one of `COMPUTED`. It is made
            anew when one of these values changes.
        needs: traits without which a modality does not have it, see `trakway.plan.modalities.Modality`.
        without: traits with which a modality does not have it.
        given: key of the settings which has to hold something.
        optional: whether it belongs to no experiment as a whole, but to a check alone.
    """

    section: str
    caption: str
    reads: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    given: str = ""
    optional: bool = False

    def belongs(self, settings: dict) -> bool:
        """Whether an experiment has it."""
        fits = modality_of(settings).has(self.needs, self.without)
        return fits and bool(not self.given or value_of(self.given, settings))

    def values(self, settings: dict) -> dict[str, object]:
        """Return what its function is given from the settings of an experiment."""
        return {name: value_of(key, settings) for name, key in self.settings.items()}


Kind = TypeVar("Kind", bound=Part)


def value_of(key: str, settings: dict) -> object:
    """Return a value of the settings by its dotted key.

    Raises:
        UserError: there is no such key.
    """
    if key in COMPUTED:
        return COMPUTED[key](settings)
    value = settings
    for word in key.split("."):
        if not isinstance(value, dict) or word not in value:
            keys = list(value) if isinstance(value, dict) else []
            raise UserError(
                f"settings: found {key}, of which there is no {word!r}; allowed here: {', '.join(keys) or 'nothing'}. "
                f"{did_you_mean(word, keys)}"
            )
        value = value[word]
    return value


def read_part(file: str | os.PathLike, variable: str, kind: type[Kind]) -> Kind | None:
    """Return what a file declares, None where it declares nothing.

    Raises:
        UserError: a mistake in the declaration.
    """
    part = declared(file, variable, kind)
    known = sorted({trait for modality in modalities().values() for trait in modality.traits})
    for trait in (*part.needs, *part.without) if part else ():
        if trait not in known:
            raise UserError(
                f"{file}: {variable}: found the trait {trait!r}; allowed: {', '.join(known)}. "
                f"{did_you_mean(trait, known)}"
            )
    return part


def check_parameters(file: str | os.PathLike, function: str, given: Iterable[str]) -> None:
    """Check that the function of a file takes what its declaration gives it, and nothing else without a default.

    Raises:
        UserError: it does not.
    """
    given, takes = list(given), parameters(file, function)
    for name in given:
        if name not in takes:
            raise UserError(
                f"{file}: {function}: found no parameter {name}, which the declaration gives it; found: "
                f"{', '.join(takes)}. Add it to {function}, or remove it from the declaration."
            )
    for name, needed in takes.items():
        if needed and name not in given:
            raise UserError(
                f"{file}: {function}: found the parameter {name}, which nothing gives it; allowed: {', '.join(given)}. "
                "Add it to reads or settings of the declaration, or give it a default."
            )


def find_parts(folders: Iterable[str | os.PathLike], read: Callable[[Path], Kind | None]) -> dict[Path, Kind]:
    """Return the parts declared by the files of folders: file → declaration. The name of a part is that of its file.

    Args:
        folders: looked through in order, their own folders left out.
        read: file → declaration or None.

    Raises:
        UserError: two of the same name.
    """
    found: dict[str, Path] = {}
    parts = {}
    for file in (file for folder in folders for file in sorted(Path(folder).glob("*.py"))):
        part = read(file)
        if part is not None:
            if file.stem in found:
                raise UserError(f"{file}: found the name of {found[file.stem]}; allowed: one file a name. Rename one.")
            found[file.stem] = file
            parts[file] = part
    return parts
