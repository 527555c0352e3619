"""What the function of a figure or a table is given: the files and settings that its declaration names, by name."""

import os
from pathlib import Path

from trakway.report.parts import Part
from trakway.report.reads import files, is_several
from trakway.storage.files import read_array, read_json, read_table

READERS = {".npy": read_array, ".json": read_json}


def given(part: Part, folder: str | os.PathLike, settings: dict) -> dict[str, object]:
    """Read what a part declares.

    Args:
        part: the declaration.
        folder: of the experiment's results.
        settings: of the experiment.

    Returns:
        parameter → table, array (a memory map), JSON, or folder; a mapping of these, by what stood in the braces,
        where the pattern may stand for several files; a value of the settings.
    """
    found = part.values(settings)
    for name, pattern in part.reads.items():
        inputs = {key: _read(Path(folder, path), path) for key, path in files(pattern, settings).items()}
        found[name] = inputs if is_several(pattern) else next(iter(inputs.values()))
    return found


def _read(file: Path, path: str):
    """Read a file by its suffix; a path that ends in a slash is a folder, of which there is nothing to read."""
    return file if path.endswith("/") else READERS.get(file.suffix, read_table)(file)
