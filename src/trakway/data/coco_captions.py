"""MS COCO (Lin et al., ECCV 2014; captions: Chen et al., arXiv:1504.00325), or any set laid out like it.

Photos of everyday scenes, each with about five captions: ``train2017/*.jpg``, ``val2017/*.jpg`` and
``annotations/{captions,instances}_{train,val}2017.json``, or the same of 2014. The class of a picture is the
supercategory of its largest object, such as ``animal`` or ``vehicle``; those without any make a class of their own, see
`trakway.data.coco_objects`. An example's id is that of the picture in COCO.
"""

import contextlib
import io
from pathlib import Path

import numpy as np

from trakway.data.captioned import Captioned
from trakway.data.coco_objects import largest_objects
from trakway.data.pixels import FilePixels
from trakway.data.source import Source, Split, listed
from trakway.errors import UserError
from trakway.plan.datasets import Dataset

DATASET = Dataset(  # of 2017
    kind="captioned", channels=3, train_size=118_287, test_size=5_000, classes=13, captions=5, varied=True, remote=True
)
LICENCE = "annotations CC BY 4.0, COCO Consortium; pictures under the terms of their owners at Flickr"
MOST_NAMED = 5  # pictures in a message


def open_coco_captions(dataset: dict, *, year: int = 2017) -> Source:
    """Open the folder ``dataset.path``; the validation split, whose captions are public, is the test split.

    Args:
        dataset: ``path``: the folder; ``image_size``: a side in pixels; ``source`` is auto or folder.
        year: of the release, 2014 or 2017: part of the names of folders and files.

    Raises:
        UserError: the package pycocotools, the path, a folder, a file or a picture is not there, a file is not in
            COCO's format, or no size is given.
    """
    if dataset["source"] not in ("auto", "folder"):
        raise UserError(f"dataset.source: coco_captions has no {dataset['source']!r}; use auto or folder")
    names = [
        (f"{split}{year}", f"annotations/captions_{split}{year}.json", f"annotations/instances_{split}{year}.json")
        for split in ("train", "val")
    ]
    needed = ", ".join(name for of_split in names for name in of_split)
    if dataset["path"] is None:
        raise UserError(
            f"dataset.path: coco_captions needs the folder that holds {needed}; fetch them from https://cocodataset.org"
        )
    if dataset["image_size"] is None:
        raise UserError("dataset.image_size: COCO has pictures of many sizes; give the side in pixels, e.g. 64")
    root = Path(dataset["path"]).expanduser()
    missing = [name for of_split in names for name in of_split if not (root / name).exists()]
    if missing:
        raise UserError(
            f"dataset.path: {root} has no {' and no '.join(missing)}; allowed: a folder with {needed}; unpack the"
            " archives of https://cocodataset.org there, or set year"
        )
    found = [_read(root, *of_split) for of_split in names]
    classes = sorted({label for *_, labels in found for label in labels})
    splits = (Split(pictures, np.searchsorted(classes, labels), ids) for pictures, ids, labels in found)
    return Source("coco_captions", LICENCE, tuple(classes), *splits)


def _read(root: Path, folder: str, annotations: str, objects: str) -> tuple[Captioned, np.ndarray, list[str]]:
    """Return the pictures of one split, their ids (int64) and the class of each.

    Raises:
        UserError: pycocotools is not installed, the annotations are none, or a picture is not there.
    """
    from torchvision.datasets import CocoCaptions

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints how long it took
            found = CocoCaptions(str(root / folder), str(root / annotations))
        files = [found.coco.imgs[number]["file_name"] for number in found.ids]
        if not files:
            raise ValueError("no pictures")
        captions = [[entry["caption"] for entry in found.coco.imgToAnns[number]] for number in found.ids]
    except ImportError:
        raise UserError(
            "dataset.name: coco_captions needs the package pycocotools: pip install 'trakway[full]'"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise UserError(
            f"{root / annotations}: found no captions in COCO's format ({type(error).__name__}: {error}); allowed: its"
            " captions_*.json; fetch the file again"
        ) from error
    there = {file.name for file in (root / folder).iterdir()}
    missing = [file for file in files if file not in there]
    if missing:
        raise UserError(
            f"{root / folder}: found no {listed(missing, MOST_NAMED)}, of which {annotations} has captions; allowed:"
            " all its pictures; unpack the archive again"
        )
    paths = [str(root / folder / file) for file in files]
    whole = [[caption.strip() for caption in of_one if caption.strip()] for of_one in captions]
    pictures = Captioned(FilePixels(paths), whole, str(root / annotations))
    return pictures, np.array(found.ids, np.int64), largest_objects(root / objects, found.ids)
