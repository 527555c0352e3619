"""Pictures that lie in a folder a class."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trakway.data.pixels import FilePixels
from trakway.data.source import Split, listed
from trakway.errors import UserError


@dataclass(frozen=True)
class ClassFolders:
    """What a folder of such folders holds.

    Attributes:
        classes: names of the folders, sorted.
        paths: of the pictures, sorted, those of a class together.
        labels: of the pictures, int64.
    """

    classes: list[str]
    paths: list[str]
    labels: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> "ClassFolders":
        """List a folder; what is hidden, such as ``.ipynb_checkpoints``, and what is no picture, is left out.

        Raises:
            UserError: there is no class, one without a picture, or pictures of a kind that is not read.
        """
        from torchvision.datasets.folder import IMG_EXTENSIONS, make_dataset

        try:
            classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != ".")
            if not classes:
                raise FileNotFoundError("found no folder of a class")
            samples = make_dataset(str(folder), {name: i for i, name in enumerate(classes)}, IMG_EXTENSIONS)
        except (OSError, RuntimeError) as error:
            raise UserError(
                f"dataset.path: {folder} cannot be used: {error}; put each class's pictures into a folder of its own"
            ) from error
        _check_read(folder, classes)
        seen = [(path, label) for path, label in samples if not hidden(Path(path), folder)]
        return cls(classes, [path for path, _ in seen], np.array([label for _, label in seen], np.int64))

    def split(self, rows: np.ndarray | None = None, margin: float = 1.0) -> Split:
        """Return some of the pictures, or all, as a split; an example's id is its place among all."""
        rows = np.arange(len(self.paths)) if rows is None else rows
        return Split(FilePixels([self.paths[row] for row in rows], margin), self.labels[rows], rows)


def _check_read(folder: Path, classes: Sequence[str]) -> None:
    """Check that no pictures are left out because of their ending alone."""
    from PIL import Image
    from torchvision.datasets.folder import IMG_EXTENSIONS

    pictures = {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    unread = pictures - set(IMG_EXTENSIONS)
    left = [
        file.relative_to(folder)
        for name in classes
        for file in (folder / name).rglob("*")
        if file.suffix.lower() in unread and not hidden(file, folder)
    ]
    if left:
        raise UserError(
            f"dataset.path: {folder}: found {len(left)} pictures that are not read, e.g. {listed(sorted(left)[:3])};"
            f" allowed: files that end in {', '.join(IMG_EXTENSIONS)}; convert or remove them"
        )


def check_alike(folders: Sequence[Path], splits: Sequence[ClassFolders]) -> None:
    """Check that the folders of two splits have the same classes.

    Raises:
        UserError: they have not; names those that are in one alone.
    """
    one, other = (set(split.classes) for split in splits)
    if one != other:
        raise UserError(
            f"dataset.path: {folders[0]} and {folders[1]} differ in their class folders: {listed(sorted(one ^ other))};"
            " give both the same"
        )


def hidden(file: Path, folder: Path) -> bool:
    """Whether a file below a folder, or a folder on the way to it, is hidden (``.name``)."""
    return any(part.startswith(".") for part in file.relative_to(folder).parts)
