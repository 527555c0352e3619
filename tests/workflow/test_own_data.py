"""Pictures of the user's own that change after they were prepared."""

import os

import numpy as np
import pytest
import yaml
from PIL import Image

from trakway.config import deep_merge

GOAL = "results/smoke/mine/data/meta.json"


def picture(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((16, 16, 3), value, np.uint8)
    pixels[:8] = 255 - value
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def mine(tree, tmp_path_factory):
    """An experiment on pictures of two classes, prepared."""
    photos = tmp_path_factory.mktemp("photos")
    for name, first in (("cats", 0), ("dogs", 100)):
        for number in range(60):
            picture(photos / name / f"{number}.png", first + number)
    base = yaml.safe_load((tree.folder / "config/experiments/fashion_resnet.yaml").read_text())
    dataset = {"name": "image_folder", "path": str(photos), "image_size": 16, "source": "auto", "classes": None}
    own = deep_merge(base, {"name": "mine", "dataset": dataset, "tiers": {"smoke": {"dataset": {}}}})
    own["tiers"] = {"smoke": deep_merge(own["tiers"]["smoke"], {"dataset": {"train_size": 60, "test_size": 20}})}
    (tree.folder / "config/experiments/mine.yaml").write_text(yaml.safe_dump(own))
    tree.done(GOAL)
    return photos


def waits(tree) -> bool:
    return "prepare_data" in tree.done("--dry-run", GOAL)


def test_nothing_to_do_while_they_are_the_same(tree, mine):
    assert not waits(tree)
    file = mine / "cats/3.png"
    stat = file.stat()
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))
    assert not waits(tree)


def test_other_pictures_in_the_place_of_some(tree, mine):
    examples = (tree.folder / GOAL).with_name("examples.parquet")
    before = examples.read_bytes()
    for number in range(10, 60):
        picture(mine / f"cats/{number}.png", 200 - number)
    assert waits(tree)
    tree.done(GOAL)
    assert not waits(tree)
    assert examples.read_bytes() != before  # it holds a digest of each picture


def test_one_more_picture(tree, mine):
    picture(mine / "dogs/60.png", 120)
    assert waits(tree)
