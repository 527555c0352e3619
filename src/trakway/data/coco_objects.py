"""What pictures of MS COCO show most of, by its annotations of objects (Lin et al., ECCV 2014)."""

import json
from collections.abc import Sequence
from pathlib import Path

from trakway.data.source import listed
from trakway.errors import UserError

NO_OBJECT = "no object"
MOST_NAMED = 5  # pictures in a message


def largest_objects(file: Path, ids: Sequence[int]) -> list[str]:
    """Return the supercategory of the largest object of each picture, ``no object`` where none is annotated.

    The largest has the largest ``area``, in pixels; of equal ones it is the first in the file. A crowd (``iscrowd``)
    counts only in a picture that has no other object.

    Args:
        file: ``instances_*.json`` of COCO, or one in its format (https://cocodataset.org/#format-data).
        ids: of the pictures.

    Raises:
        UserError: the file is none in this format, or does not list all the pictures.
    """
    try:
        content = json.loads(file.read_bytes(), object_hook=_without_outline)
        pictures = {picture["id"] for picture in content["images"]}
        names = {category["id"]: category["supercategory"] for category in content["categories"]}
        if not all(isinstance(name, str) and name for name in names.values()):
            raise ValueError("a category without the name of its supercategory")
        largest: dict[int, tuple[tuple[bool, float], str]] = {}
        for entry in content["annotations"]:
            picture, rank = entry["image_id"], (not entry["iscrowd"], float(entry["area"]))
            name = names[entry["category_id"]]
            if picture not in largest or rank > largest[picture][0]:
                largest[picture] = rank, name
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file}: found no objects in COCO's format ({type(error).__name__}: {error}); allowed: its"
            " instances_*.json, with id of images, id and supercategory of categories, and image_id, category_id, area"
            " and iscrowd of annotations; fetch the file again, or add what is missing"
        ) from error
    missing = [number for number in ids if number not in pictures]
    if missing:
        raise UserError(
            f"{file}: found no picture {listed(missing, MOST_NAMED)} among its images; allowed: all pictures that have"
            " captions, with objects or without; take both files from one release"
        )
    return [largest[number][1] if number in largest else NO_OBJECT for number in ids]


def _without_outline(entry: dict) -> dict:
    """Outlines of objects are most of the file, and would take gigabytes."""
    entry.pop("segmentation", None)
    return entry
