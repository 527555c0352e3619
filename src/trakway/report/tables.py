"""The tables of a report, each declared beside the function that makes it."""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from trakway.plan.modalities import modality_of
from trakway.report.parts import Part, check_parameters, find_parts, read_part

FOLDERS = (Path(__file__).parents[1] / "validation",)


@dataclass(frozen=True, kw_only=True)
class Table(Part):
    """What a table says of itself: ``TABLE = Table(...)`` in the file of its function ``make``.

    ``make`` takes what the declaration names, by name, and returns a DataFrame; where there are tables beside it, a
    mapping of all their names to DataFrames.

    Attributes:
        beside: further tables that the same work gives: name → caption, empty for one that no report shows.
        beside_needs: name → traits without which a report does not have the table.
        own_rule: whether the workflow has a rule of its own for it, since it reads what no plain table does; there is
            no ``make`` then.
    """

    beside: dict[str, str] = field(default_factory=dict)
    beside_needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own_rule: bool = False

    def names(self, name: str, settings: dict) -> list[str]:
        """Return the names of the tables that the report of an experiment has, of one called ``name``."""
        fits = modality_of(settings).has
        shown = [other for other, caption in self.beside.items() if caption and fits(self.beside_needs.get(other, ()))]
        return [name, *shown]


def table_of(file: str | os.PathLike) -> Table | None:
    """Return the table that a file declares, None where it declares none.

    Raises:
        UserError: a mistake in the declaration, or ``make`` does not take what it would be given.
    """
    table = read_part(file, "TABLE", Table)
    if table and not table.own_rule:
        check_parameters(file, "make", [*table.reads, *table.settings])
    return table


@cache
def declared_tables(folders: tuple[Path, ...] = FOLDERS) -> dict[Path, Table]:
    """Return the tables that the files of folders declare: file → declaration. A table has the name of its file."""
    return find_parts(folders, table_of)
