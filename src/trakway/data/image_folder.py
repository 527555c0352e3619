"""Pictures of the user's own, a folder a class."""

from pathlib import Path

from trakway.data.class_folders import ClassFolders, check_alike
from trakway.data.sampling import held_out
from trakway.data.source import Source
from trakway.errors import UserError
from trakway.plan.datasets import Dataset

DATASET = Dataset(varied=True)
LICENCE = "the owner's"
SPLITS = ("train", "test", "val")
CALLED = {*SPLITS, "training", "testing", "valid", "validation"}
"""What folders of splits are called elsewhere; classes hardly are."""


def open_image_folder(dataset: dict) -> Source:
    """Read the folder ``dataset.path``, in which each folder is a class, by its name; what is hidden is left out.

    With a folder ``train`` and a folder ``test`` or ``val`` in it the classes are in these; otherwise a quarter of all
    pictures, drawn whatever the seed, is the test split. An example's id is its place in the sorted list
    of files. Pictures of ``image_size`` stay as they are; of others the shorter side is resized to it, and what is
    beyond it of the longer one is cropped on both sides.

    Args:
        dataset: ``path``; ``image_size``: a side in pixels; ``source`` is auto or folder.

    Raises:
        UserError: a folder is not there or holds no class, the splits differ in their classes, or no size is given.
    """
    if dataset["source"] not in ("auto", "folder"):
        raise UserError(f"dataset.source: image_folder has no {dataset['source']!r}; use auto or folder")
    if dataset["path"] is None:
        raise UserError("dataset.path: image_folder needs the folder that holds a folder of pictures a class; give it")
    if dataset["image_size"] is None:
        raise UserError("dataset.image_size: pictures may differ in size; give the side in pixels, e.g. 64")
    root = Path(dataset["path"]).expanduser()
    if not root.is_dir():
        raise UserError(
            f"dataset.path: there is no folder {root}; give its path, from the working directory or in full"
        )
    present = [name for name in SPLITS if (root / name).is_dir()]
    if "train" in present and len(present) == 2:
        folders = [root / name for name in present]
        train, test = (ClassFolders.read(folder) for folder in folders)
        check_alike(folders, (train, test))
        splits = [train.split(), test.split()]
    elif "train" in present:
        raise UserError(
            f"dataset.path: found {', '.join(present)} in {root}; allowed: train and one of test and val, or no folder"
            " of these names, and then a quarter is drawn as test split; add one, or name the others otherwise"
        )
    else:
        train = ClassFolders.read(root)
        if {name.lower() for name in train.classes} <= CALLED:
            raise UserError(
                f"dataset.path: found {', '.join(train.classes)} in {root}, as splits are called, and no train;"
                " allowed: train and one of test and val, in small letters; rename the folders"
            )
        splits = [train.split(rows) for rows in held_out(len(train.paths), "image_folder")]
    return Source(root.resolve().name, LICENCE, tuple(train.classes), *splits)
