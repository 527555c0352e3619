import pandas as pd
import pytest
from PIL import Image

from trakway.data import prepare
from trakway.data.captioned import CaptionData
from trakway.data.captioned_folder import open_captioned_folder
from trakway.data.preparation import DEFAULTS
from trakway.errors import UserError

NAMES = [*(f"{number}.png" for number in range(6)), "more/6.JPG", "more/deep/ü 7.webp"]
CAPTIONS = {name: [f"caption {row}", "zweite, Ö"] if row % 2 else [f"caption {row}"] for row, name in enumerate(NAMES)}


def draw(folder, names=NAMES):
    """Write pictures, each as grey as its place in `NAMES`."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 10), (20 * NAMES.index(name),) * 3).save(folder / name, quality=100)


def table(folder, captions=CAPTIONS, labels=None):
    rows = [(name, caption) for name, of_one in captions.items() for caption in of_one]
    found = pd.DataFrame(rows, columns=["file", "caption"])
    if labels:
        found["label"] = [labels[name] for name in found["file"]]
    found.to_csv(folder / "captions.csv", index=False)


def texts(folder, captions=CAPTIONS):
    for name, of_one in captions.items():
        (folder / name).with_suffix(".txt").write_text("\n".join(of_one) + "\n", encoding="utf-8")


@pytest.fixture
def photos(tmp_path):
    draw(tmp_path / "photos")
    return tmp_path / "photos"


def opened(folder, **options):
    return open_captioned_folder(DEFAULTS | {"path": str(folder), "image_size": 8}, **options)


@pytest.mark.parametrize("captioned", [table, texts])
def test_pictures_with_their_captions(photos, tmp_path, captioned):
    captioned(photos)
    for name in (".thumbnails/x.png", ".DS_Store", ".hidden.txt", "notes.md"):
        (photos / name).parent.mkdir(exist_ok=True)
        (photos / name).write_bytes(b"x")
    prepare({"name": "captioned_folder", "path": str(photos), "image_size": 8}, 0, tmp_path / "out")
    found, rows = CaptionData.load(tmp_path / "out"), pd.read_parquet(tmp_path / "out/examples.parquet")
    images = {"train": found.images.train_images, "test": found.images.test_images}
    seen = []
    for split, share in (("train", 6), ("test", 2)):
        assert images[split].shape == (share, 3, 8, 8)
        for image, captions in zip(images[split], found.captions[split], strict=True):
            name = NAMES[round(image.mean() / 20)]
            assert captions == CAPTIONS[name]
            seen.append(name)
    assert sorted(seen) == sorted(NAMES)
    assert found.images.classes == ("all",)
    # Whatever the seed, the same are for testing.
    prepare({"name": "captioned_folder", "path": str(photos), "image_size": 8}, 1, tmp_path / "other")
    other = pd.read_parquet(tmp_path / "other/examples.parquet")
    for split in ("train", "test"):
        assert set(other.loc[other["split"] == split, "id"]) == set(rows.loc[rows["split"] == split, "id"])


def test_labels_and_a_folder_of_test_pictures(photos, tmp_path):
    labels = {name: "odd" if row % 2 else "even" for row, name in enumerate(NAMES)}
    table(photos, labels=labels)
    test = {name: [name] for name in NAMES[1:4]}
    draw(tmp_path / "held", test)
    table(tmp_path / "held", test, labels)
    dataset = {"name": "captioned_folder", "path": str(photos), "test": str(tmp_path / "held"), "image_size": 8}
    prepare(dataset, 0, tmp_path / "out")
    found = CaptionData.load(tmp_path / "out")
    assert (found.images.classes, len(found.captions["train"])) == (("even", "odd"), 8)
    for image, label, captions in zip(
        found.images.test_images, found.images.test_labels, found.captions["test"], strict=True
    ):
        name = NAMES[round(image.mean() / 20)]
        assert (captions, found.images.classes[label]) == ([name], labels[name])


def test_a_picture_that_cannot_be_read_is_named(photos, tmp_path):
    texts(photos)
    (photos / "3.png").write_bytes(b"\x89PNG")
    with pytest.raises(UserError, match="photos/3.png: cannot be read as an image"):
        prepare({"name": "captioned_folder", "path": str(photos), "image_size": 8}, 0, tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": None}, "dataset.path: captioned_folder needs the folder"),
        ({"image_size": None}, "dataset.image_size: pictures may differ in size"),
        ({"source": "packed"}, "dataset.source: captioned_folder has no 'packed'; use auto or folder"),
        ({"path": "/nowhere"}, "dataset.path: there is no folder /nowhere"),
    ],
)
def test_settings(photos, changes, message):
    with pytest.raises(UserError, match=message):
        open_captioned_folder(DEFAULTS | {"path": str(photos), "image_size": 8} | changes)


def test_a_folder_of_test_pictures_that_is_no_text(photos):
    with pytest.raises(UserError, match="dataset.test: found 7; allowed: text, the folder of the test pictures"):
        opened(photos, test=7)


def test_folders_that_overlap(photos):
    texts(photos)
    with pytest.raises(UserError, match="dataset.test: found .*more, and dataset.path is .*photos; allowed: folders"):
        opened(photos, test=str(photos / "more"))
    with pytest.raises(UserError, match="dataset.test: there is no folder /nowhere"):
        opened(photos, test="/nowhere")


def test_captions_in_neither_or_both_forms(photos, tmp_path):
    with pytest.raises(UserError, match="photos: found no captions; allowed: captions.csv with .* or NAME.txt beside"):
        opened(photos)
    table(photos)
    (photos / "notes.txt").write_text("no caption: no picture has this name")
    assert len(opened(photos).train.labels) == 6
    texts(photos, {"1.png": ["a"]})
    with pytest.raises(UserError, match=r"found captions twice, in captions.csv and in 1.txt; allowed: one of the two"):
        opened(photos)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty: found no picture; allowed: files that end in .jpg"):
        opened(tmp_path / "empty")


@pytest.mark.parametrize("captioned", [table, texts])
def test_pictures_of_a_form_that_is_not_read(photos, captioned):
    (photos / "1.gif").write_bytes(b"GIF89a")  # has no caption of its own
    (photos / "more/anim.gif").write_bytes(b"GIF89a")
    captioned(photos)
    assert len(opened(photos).train.labels) == 6
    captioned(photos, CAPTIONS | {"more/anim.gif": ["it moves"]})
    words = r"found captions of more/anim.gif, and .gif is not read; allowed: pictures that end in .jpg, .*; convert"
    with pytest.raises(UserError, match=words):
        opened(photos)


def test_too_few_pictures(photos, tmp_path):
    dataset = {"name": "captioned_folder", "path": str(photos), "image_size": 8}
    table(photos)
    trained = sorted(NAMES)[opened(photos).train.ids[0]]
    table(photos, labels={name: "rare" if name == trained else "common" for name in NAMES})
    words = r"dataset.path: .*photos: found 1 training and 0 test examples of rare; allowed: .* a quarter of .*"
    with pytest.raises(UserError, match=f"{words}; add some, or leave rare out of dataset.classes"):
        prepare(dataset, 0, tmp_path / "out")
    draw(tmp_path / "one", NAMES[:1])
    texts(tmp_path / "one", {NAMES[0]: ["alone"]})
    with pytest.raises(UserError, match="one: found 1 training and 0 test examples of all; .*; add some$"):
        prepare(dataset | {"path": str(tmp_path / "one")}, 0, tmp_path / "out")
