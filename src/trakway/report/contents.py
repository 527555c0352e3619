"""What the report of an experiment consists of, as the files of its figures and tables declare it."""

from trakway.report.figures import declared_figures
from trakway.report.tables import declared_tables


def report_files(settings: dict, optional: bool = False) -> list[str]:
    """Return the tables and figures of a report, as paths below the experiment's folder.

    Args:
        settings: of the experiment.
        optional: the optional parts, in the place of all others.
    """
    tables, figures = (
        [(file.stem, part) for file, part in parts.items() if part.optional == optional and part.belongs(settings)]
        for parts in (declared_tables(), declared_figures())
    )
    names = [name for stem, table in tables for name in table.names(stem, settings)]
    return [f"tables/{name}.csv" for name in names] + [f"figures/{stem}.{part.suffixes[0]}" for stem, part in figures]


def checks() -> list[str]:
    """Return the names of the checks that figures belong to."""
    return sorted({figure.check for figure in declared_figures().values() if figure.check})


def check_files(settings: dict, check: str) -> list[str]:
    """Return the figures of a check and the tables that they show, as paths below the experiment's folder."""
    figures = {
        file.stem: figure
        for file, figure in declared_figures().items()
        if figure.check == check and figure.belongs(settings)
    }
    shown = [path for figure in figures.values() for path in figure.reads.values() if path.startswith("tables/")]
    return list(dict.fromkeys(shown)) + [f"figures/{name}.{figure.suffixes[0]}" for name, figure in figures.items()]
