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
    "val": {285: ["A bear."]},
}


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
        write(root, split, {"info": {}, "licenses": [], "images": images, "annotations": entries})
    return root


def write(root, split, content):
    (root / f"annotations/captions_{split}2017.json").write_text(json.dumps(content))


def test_pictures_with_all_their_captions(coco, tmp_path, capsys):
    prepare({"name": "coco_captions", "path": str(coco), "image_size": 16}, 0, tmp_path / "out")
    assert capsys.readouterr().out == ""
    found, table = CaptionData.load(tmp_path / "out"), pd.read_parquet(tmp_path / "out/examples.parquet")
    train = table[table["split"] == "train"]
    assert sorted(train["id"]) == [9, 139, 37777]
    known = {139: ["A room.", "A room with a TV."], 37777: ["Ein Café."], 9: ["Food.", "Lunch."]}
    assert found.captions == {"train": [known[number] for number in train["id"]], "test": [["A bear."]]}
    assert found.images.train_images.shape == (3, 3, 16, 16)
    np.testing.assert_allclose(found.images.train_images.mean((1, 2, 3)), train["id"] % 256, atol=1)
    assert found.images.classes == ("all",)


def test_another_year(coco):
    for file in sorted(coco.rglob("*2017*"), reverse=True):
        file.rename(file.with_name(file.name.replace("2017", "2014")))
    source = open_coco_captions(DEFAULTS | {"path": str(coco), "image_size": 8}, year=2014)
    assert (len(source.train.examples), source.test.ids.tolist()) == (3, [285])
    with pytest.raises(UserError, match="has no train2017 and no annotations/captions_train2017.json and no val2017"):
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
