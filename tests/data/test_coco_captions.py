import builtins
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trakway.data import prepare
from trakway.data.captioned import CaptionData
from trakway.data.coco_captions import open_coco_captions
from trakway.data.preparation import DEFAULTS
from trakway.errors import UserError

CAPTIONS = {  # id of a picture: its captions
    "train": {139: ["A room.", " A room with a TV.\n", ""], 37777: ["Ein Café."], 9: ["Food.", "Lunch."]},
    "val": {285: ["A bear."], 632: ["A bed."], 724: ["A sign."]},
}
OBJECTS = {  # id of a picture: category, area and iscrowd of its objects
    "train": {139: [(62, 90, 0), (63, 400, 0), (1, 9, 0)], 37777: [(1, 500, 1), (23, 40, 0)]},
    "val": {285: [(23, 800, 0)], 632: [(62, 700.5, 0), (1, 700, 0)]},
}
LABELS = {139: "furniture", 37777: "animal", 9: "no object", 285: "animal", 632: "furniture", 724: "no object"}
CATEGORIES = [
    {"id": 1, "name": "person", "supercategory": "person"},
    {"id": 23, "name": "bear", "supercategory": "animal"},
    {"id": 62, "name": "chair", "supercategory": "furniture"},
    {"id": 63, "name": "couch", "supercategory": "furniture"},
]


@pytest.fixture
def coco(tmp_path):
    """A folder in COCO's layout, pictures as grey as their id says."""
    pytest.importorskip("pycocotools", reason="needs the extra `full`")
    root = tmp_path / "coco"
    (root / "annotations").mkdir(parents=True)
    for split, captions in CAPTIONS.items():
        (root / f"{split}2017").mkdir()
        images, entries = [], []
        for number, of_one in captions.items():
            name = f"{number:012d}.jpg"
            Image.new("RGB", (40, 30), (number % 256,) * 3).save(root / f"{split}2017" / name)
            images.append({"id": number, "file_name": name, "height": 30, "width": 40})
            entries += [{"id": len(entries) + k, "image_id": number, "caption": c} for k, c in enumerate(of_one)]
        objects = [
            {"image_id": number, "category_id": category, "area": area, "iscrowd": crowd}
            for number, of_one in OBJECTS[split].items()
            for category, area, crowd in of_one
        ]
        write(root, split, {"info": {}, "licenses": [], "images": images, "annotations": entries})
        write(root, split, {"images": images, "categories": CATEGORIES, "annotations": objects}, "instances")
    return root


def write(root, split, content, kind="captions"):
    (root / f"annotations/{kind}_{split}2017.json").write_text(json.dumps(content))


def test_pictures_with_all_their_captions(coco, tmp_path, capsys):
    prepare({"name": "coco_captions", "path": str(coco), "image_size": 16}, 0, tmp_path / "out")
    assert capsys.readouterr().out == ""
    found, table = CaptionData.load(tmp_path / "out"), pd.read_parquet(tmp_path / "out/examples.parquet")
    train = table[table["split"] == "train"]
    assert sorted(train["id"]) == [9, 139, 37777]
    known = {139: ["A room.", "A room with a TV."], 37777: ["Ein Café."], 9: ["Food.", "Lunch."]}
    assert found.captions["train"] == [known[number] for number in train["id"]]
    assert sorted(found.captions["test"]) == [["A bear."], ["A bed."], ["A sign."]]
    assert found.images.train_images.shape == (3, 3, 16, 16)
    np.testing.assert_allclose(found.images.train_images.mean((1, 2, 3)), train["id"] % 256, atol=1)
    assert found.images.classes == ("animal", "furniture", "no object")
    assert dict(zip(table["id"], table["label_name"], strict=True)) == LABELS


def test_pictures_of_some_classes(coco, tmp_path):
    settings = {"name": "coco_captions", "path": str(coco), "image_size": 16}
    prepare(settings | {"classes": ["furniture", "animal"]}, 0, tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out/examples.parquet")
    assert dict(zip(table["id"], table["label"], strict=True)) == {139: 0, 37777: 1, 285: 1, 632: 0}
    with pytest.raises(UserError, match="unknown class 'person'. Known classes: animal, furniture, no object"):
        prepare(settings | {"classes": ["person", "animal"]}, 0, tmp_path / "out")


def test_no_class_of_pictures_without_objects_where_there_are_none(coco):
    for split in ("train", "val"):
        file = coco / f"annotations/instances_{split}2017.json"
        content = json.loads(file.read_text())
        all_people = [
            {"image_id": one["id"], "category_id": 1, "area": 1e6, "iscrowd": 0}
            for one in content["images"]
            if one["id"] in (9, 724)
        ]
        write(coco, split, content | {"annotations": content["annotations"] + all_people}, "instances")
    source = open_coco_captions(DEFAULTS | {"path": str(coco), "image_size": 8})
    assert source.classes == ("animal", "furniture", "person")
    assert source.train.labels[source.train.ids == 9] == 2


def test_another_year(coco):
    for file in sorted(coco.rglob("*2017*"), reverse=True):
        file.rename(file.with_name(file.name.replace("2017", "2014")))
    source = open_coco_captions(DEFAULTS | {"path": str(coco), "image_size": 8}, year=2014)
    assert (len(source.train.examples), source.test.ids.tolist()) == (3, [285, 632, 724])
    missing = " and no ".join(
        f"{split}2017 and no annotations/captions_{split}2017.json and no annotations/instances_{split}2017.json"
        for split in ("train", "val")
    )
    with pytest.raises(UserError, match=f"has no {missing}; allowed"):
        open_coco_captions(DEFAULTS | {"path": str(coco), "image_size": 8})


def test_objects_are_needed(coco):
    write(coco, "val", {"images": [], "categories": [], "annotations": []}, "instances")
    with pytest.raises(UserError, match="instances_val2017.json: found no picture 285, 632, 724 among its images"):
        open_coco_captions(DEFAULTS | {"path": str(coco), "image_size": 8})
    (coco / "annotations/instances_val2017.json").unlink()
    with pytest.raises(UserError, match="coco has no annotations/instances_val2017.json; allowed: a folder with train"):
        open_coco_captions(DEFAULTS | {"path": str(coco), "image_size": 8})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"path": None},
            "dataset.path: coco_captions needs the folder that holds train2017, .*cocodataset",
        ),
        ({"image_size": None}, "dataset.image_size: COCO has pictures of many sizes"),
        ({"source": "download"}, "dataset.source: coco_captions has no 'download'; use auto or folder"),
        ({"path": "/nowhere"}, "dataset.path: /nowhere has no train2017"),
    ],
)
def test_settings(coco, changes, message):
    with pytest.raises(UserError, match=message):
        open_coco_captions(DEFAULTS | {"path": str(coco), "image_size": 8} | changes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "captions_val2017.json: found no captions in COCO's format .ValueError: no pictures"),
        ([], "captions_val2017.json: found no captions in COCO's format"),
        (
            {"images": [{"id": 285, "file_name": "000000000285.jpg"}], "annotations": [{"id": 1, "image_id": 285}]},
            "found no captions in COCO's format .KeyError: 'caption'",
        ),
        (
            {"images": [{"id": 3, "file_name": "3.jpg"}], "annotations": [{"image_id": 3, "id": 1, "caption": "x"}]},
            "val2017: found no 3.jpg, of which annotations/captions_val2017.json has captions",
        ),
        (
            {"images": [{"id": 285, "file_name": "000000000285.jpg"}], "annotations": []},
            "missing or empty: .*000000000285.jpg",
        ),
    ],
)
def test_annotations_that_do_not_do(coco, content, message):
    write(coco, "val", content)
    with pytest.raises(UserError, match=message):
        open_coco_captions(DEFAULTS | {"path": str(coco), "image_size": 8})


def test_without_the_package(coco, monkeypatch):
    whole = builtins.__import__

    def lacking(name, *arguments, **more):
        if name.startswith("pycocotools"):
            raise ImportError(name)
        return whole(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(UserError, match=r"coco_captions needs the package pycocotools: pip install 'trakway\[full\]'"):
        open_coco_captions(DEFAULTS | {"path": str(coco), "image_size": 8})
