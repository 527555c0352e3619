"""ImageNet (Russakovsky et al., 2015), laid out as ``train/<class>/*`` and ``val/<class>/*``.

The names of the classes are those of the folders, WordNet ids such as n01440764; an example's id is its place in the
sorted list of files. Pictures of one's own are an ``image_folder``.
"""

from pathlib import Path

from trakway.data.class_folders import ClassFolders, check_alike
from trakway.data.source import Source
from trakway.errors import UserError
from trakway.plan.datasets import Dataset

DATASET = Dataset(channels=3, train_size=1_281_167, test_size=50_000, classes=1000, varied=True, remote=True)
LICENCE = "ImageNet terms of access: non-commercial research and education"
ARCHIVES = {"train": "ILSVRC2012_img_train.tar", "val": "ILSVRC2012_img_val.tar"}
MARGIN = 256 / 224  # the usual evaluation transform: the shorter side in units of the crop's
DEVKIT = "ILSVRC2012_devkit_t12.tar.gz"


def open_imagenet(dataset: dict) -> Source:
    """Open the folder ``dataset.path``; if it holds the official archives only, torchvision unpacks them there first.

    Raises:
        UserError: no path or image size is given, or the folder lacks a split; the message says what is missing.
    """
    if dataset["source"] not in ("auto", "folder"):
        raise UserError(f"dataset.source: imagenet has no {dataset['source']!r}; use auto or folder")
    if dataset["path"] is None:
        raise UserError(
            "dataset.path: imagenet needs the folder that holds train/<class>/*.JPEG and val/<class>/*.JPEG, or the"
            f" archives {ARCHIVES['train']}, {ARCHIVES['val']} and {DEVKIT} that https://image-net.org gives after"
            " registration"
        )
    if dataset["image_size"] is None:
        raise UserError("dataset.image_size: imagenet has images of many sizes; give the side in pixels, e.g. 224")
    root = Path(dataset["path"]).expanduser()
    if not root.is_dir():
        raise UserError(f"dataset.path: {root} is not a folder; imagenet needs one that holds train/ and val/")
    train, val = (_folder(root, split) for split in ("train", "val"))
    check_alike([root / "train", root / "val"], (train, val))
    return Source("imagenet", LICENCE, tuple(train.classes), train.split(margin=MARGIN), val.split(margin=MARGIN))


def _folder(root: Path, split: str) -> ClassFolders:
    from torchvision.datasets import ImageNet

    archives = [root / ARCHIVES[split], root / DEVKIT]
    try:
        if not (root / split).is_dir():
            missing = [path.name for path in archives if not path.is_file()]
            if missing:
                raise UserError(
                    f"dataset.path: {root} has no folder {split}, and to unpack it {' and '.join(missing)}"
                    f" {'is' if len(missing) == 1 else 'are'} missing; put {split}/<class>/*.JPEG or the archives there"
                )
            ImageNet(str(root), split=split)
    except (OSError, RuntimeError) as error:
        raise UserError(f"dataset.path: {root / split} cannot be used: {error}") from error
    return ClassFolders.read(root / split)
