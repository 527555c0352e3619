"""What data sets say of themselves, and which tasks they serve."""

import pytest

from trakway.plan.datasets import Dataset, dataset_of
from trakway.plan.places import builtin


@pytest.mark.parametrize(
    ("kind", "served"),
    [("images", {"images"}), ("captioned", {"captioned", "images"}), ("texts", {"texts"})],
)
def test_images_with_captions_are_images_too(kind, served):
    assert {wanted for wanted in ("images", "captioned", "texts") if Dataset(kind=kind).serves(wanted)} == served


def test_kinds_of_the_library():
    kinds = {name: dataset_of({"dataset": {"name": name}}).kind for name in builtin("dataset")}
    assert set(kinds.values()) == {"images", "captioned", "texts"}
    assert {name for name, kind in kinds.items() if kind == "captioned"} == {
        "captioned_folder",
        "coco_captions",
        "emoji",
        "fashion_captions",
    }
