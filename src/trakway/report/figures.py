"""The figures of a report, each declared in the file that draws it."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trakway.errors import UserError
from trakway.report.parts import Part, check_parameters, find_parts, read_part

SUFFIXES = {"picture": ("png", "pdf"), "animation": ("gif",)}
FOLDERS = (Path(__file__).parents[1] / "figures",)


@dataclass(frozen=True, kw_only=True)
class Figure(Part):
    """What a figure says of itself: ``FIGURE = Figure(...)`` in the file of its function ``draw``.

    ``draw`` takes what the declaration names, and ``title``, by name; it returns a matplotlib figure, or several of
    equal size for an animation.

    Attributes:
        title: above the picture, after the experiment's name; ``{main}`` stands for the label of the main method.
        check: the target ``EXPERIMENT_CHECK`` that draws it without the rest of the report, with the tables it reads.
        form: ``picture`` (PNG and PDF) or ``animation`` (GIF).
    """

    title: str
    check: str = ""
    form: str = "picture"

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of its files, the one of the report first."""
        return SUFFIXES[self.form]


def figure_of(file: str | os.PathLike) -> Figure | None:
    """Return the figure that a file declares, None where it declares none.

    Raises:
        UserError: a mistake in the declaration, or ``draw`` does not take what it would be given.
    """
    figure = read_part(file, "FIGURE", Figure)
    if figure and figure.form not in SUFFIXES:
        raise UserError(f"{file}: FIGURE: found form {figure.form!r}; allowed: {', '.join(SUFFIXES)}")
    if figure:
        check_parameters(file, "draw", [*figure.reads, *figure.settings, "title"])
    return figure


@cache
def declared_figures(folders: tuple[Path, ...] = FOLDERS) -> dict[Path, Figure]:
    """Return the figures that the files of folders declare: file → declaration. A figure has the name of its file."""
    return find_parts(folders, figure_of)
