import json

import pytest

from trakway.data.coco_objects import largest_objects
from trakway.errors import UserError

CATEGORIES = [
    {"id": 1, "name": "person", "supercategory": "person"},
    {"id": 3, "name": "car", "supercategory": "vehicle"},
    {"id": 18, "name": "dog", "supercategory": "animal"},
    {"id": 21, "name": "cow", "supercategory": "animal"},
]
ENTRY = {"id": 1, "image_id": 7, "category_id": 3, "area": 2.5, "iscrowd": 0}


@pytest.fixture
def instances(tmp_path):
    """Write objects (picture, category, area, iscrowd) of the pictures 7 and 8 in COCO's format; returns the file."""

    def write(objects=(), **changes):
        content = {"images": [{"id": 7}, {"id": 8}], "categories": CATEGORIES}
        content["annotations"] = [
            dict(zip(("image_id", "category_id", "area", "iscrowd"), one, strict=True)) | {"segmentation": [[1.0, 2.0]]}
            for one in objects
        ]
        file = tmp_path / "instances_train2017.json"
        file.write_text(json.dumps(content | changes))
        return file

    return write


@pytest.mark.parametrize(
    ("objects", "label"),
    [
        ([(7, 1, 4, 0), (7, 3, 30.5, 0), (7, 18, 30, 0)], "vehicle"),
        ([(7, 18, 20, 0), (7, 3, 30, 0), (7, 21, 20, 0)], "vehicle"),  # the largest, not the most in all
        ([(7, 3, 100, 0), (7, 18, 20, 0), (7, 1, 9, 0)], "vehicle"),  # 100 and 20 and 9 as numbers
        ([(7, 18, 30, 0), (7, 3, 30, 0)], "animal"),
        ([(7, 3, 30, 0), (7, 18, 30, 0)], "vehicle"),
        ([(7, 1, 900, 1), (7, 18, 3, 0)], "animal"),
        ([(7, 18, 3, 0), (7, 1, 900, 1)], "animal"),
        ([(7, 1, 900, 1), (7, 18, 901, 1)], "animal"),
        ([], "no object"),
        ([(8, 1, 50, 0)], "no object"),
    ],
)
def test_the_largest_object_decides(instances, objects, label):
    assert largest_objects(instances(objects), [7]) == [label]


def test_classes_are_in_the_order_of_the_pictures_asked_for(instances):
    file = instances([(7, 1, 5, 0), (8, 18, 5, 0), (7, 3, 6, 0)])
    assert largest_objects(file, [8, 7]) == ["animal", "vehicle"]
    assert largest_objects(file, [7]) == ["vehicle"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        *(
            ({"annotations": [{k: v for k, v in ENTRY.items() if k != key}]}, f"KeyError: '{key}'")
            for key in ("image_id", "category_id", "area", "iscrowd")
        ),
        ({"annotations": [ENTRY | {"category_id": 99}]}, "KeyError: 99"),
        ({"annotations": [ENTRY | {"area": "large"}]}, "ValueError: could not convert string to float: 'large'"),
        ({"annotations": None}, "TypeError: "),
        ({"images": [{}]}, "KeyError: 'id'"),
        ({"categories": [{"id": 3, "name": "car"}]}, "KeyError: 'supercategory'"),
        ({"categories": [{"id": 3, "supercategory": ""}]}, "a category without the name of its supercategory"),
        ({"categories": [{"id": 3, "supercategory": None}]}, "a category without the name of its supercategory"),
    ],
)
def test_what_is_not_in_the_format_is_told(instances, changes, said):
    file = instances(**changes)
    with pytest.raises(UserError) as caught:
        largest_objects(file, [7])
    assert str(caught.value).startswith(f"{file}: found no objects in COCO's format (")
    assert said in str(caught.value)
    assert "; allowed: its instances_*.json, with id of images, id and supercategory" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": ['])
def test_other_files(tmp_path, text):
    file = tmp_path / "instances_val2017.json"
    file.write_text(text)
    with pytest.raises(UserError, match="instances_val2017.json: found no objects in COCO's format"):
        largest_objects(file, [])


def test_objects_of_other_pictures(instances):
    with pytest.raises(UserError, match=r"instances_train2017.json: found no picture 9, 4 among its images; allowed"):
        largest_objects(instances([(7, 1, 5, 0)]), [9, 7, 4])
