import numpy as np
import pandas as pd
import pytest

from trakway.data import prepare
from trakway.data.captioned import CaptionData
from trakway.data.emoji import PACKED, PICTURES, SKIN_TONES, WORDS, captions_of, open_emoji, read_pack
from trakway.data.preparation import DEFAULTS
from trakway.errors import UserError


@pytest.fixture(scope="module")
def pack():
    return read_pack(PACKED)


def test_pictures_look_like_their_names(pack):
    words, pictures = pack
    assert (len(words), pictures.shape, pictures.dtype) == (3655, (3655, 32, 32, 3), np.uint8)
    assert words["codepoints"].is_unique
    assert words["name"].is_unique

    def middle(name):
        return pictures[words.index[words["name"] == name][0], 12:20, 12:20].mean((0, 1))

    for colour, name in enumerate(("red circle", "green circle", "blue circle")):
        shown = middle(name)
        assert shown.argmax() == colour
        assert shown.max() > 1.5 * np.sort(shown)[-2] - 60
    assert middle("black large square").max() < 100
    assert middle("flag: Japan").argmax() == 0
    corners = pictures[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 255).all(-1).mean() > 0.9  # on white


def test_variants_by_skin_tone_are_an_option(pack):
    words, _ = pack
    toned = words["codepoints"].map(lambda text: bool(SKIN_TONES & set(text.split())))
    assert (toned == words["name"].str.contains("skin tone")).all()
    few, many = open_emoji(DEFAULTS), open_emoji(DEFAULTS, variants=True)
    for source, rows in ((few, np.flatnonzero(~toned)), (many, np.arange(len(words)))):
        assert sorted([*source.train.ids, *source.test.ids]) == rows.tolist()
        assert (np.bincount(source.train.labels).min(), len(source.classes)) == (68, 9)
    assert (len(few.train.labels), len(few.test.labels)) == (1496, 374)
    assert set(few.train.ids) <= set(many.train.ids)
    assert set(few.test.ids) <= set(many.test.ids)


def test_no_family_is_in_both_splits(pack):
    def bare(codepoints):
        return " ".join(part for part in codepoints.split() if part not in SKIN_TONES | {"FE0F"})

    source, families = open_emoji(DEFAULTS, variants=True), pack[0]["codepoints"].map(bare)
    assert families.duplicated().sum() > 1000
    assert not set(families[source.train.ids]) & set(families[source.test.ids])


def test_labels_and_captions(pack, tmp_path):
    words, pictures = pack
    prepare({"name": "emoji", "classes": ["Food & Drink", "Animals & Nature"], "test_size": 20}, 3, tmp_path / "out")
    found, table = CaptionData.load(tmp_path / "out"), pd.read_parquet(tmp_path / "out/examples.parquet")
    train = table[table["split"] == "train"]
    np.testing.assert_array_equal(found.images.train_images, pictures[train["id"]].transpose(0, 3, 1, 2))
    assert (words["group"][table["id"]].to_numpy() == table["label_name"].to_numpy()).all()
    assert table["caption"].tolist() == words["name"][table["id"]].tolist()
    apple = train.index[train["caption"] == "green apple"][0]
    assert found.captions["train"][apple] == ["green apple", "green apple, an emoji of food and drink"]
    # Whatever the seed, the same are for testing.
    assert set(table.loc[table["split"] == "test", "id"]) <= set(open_emoji(DEFAULTS).test.ids)


def test_captions_of_one():
    assert captions_of("zebra", "Animals & Nature")[1] == "zebra, an emoji of animals and nature"


@pytest.mark.parametrize("changes", [{"source": "download"}, {"path": "somewhere"}])
def test_other_places(changes):
    with pytest.raises(UserError, match="emoji is packed in this package: use source: packed and path: null"):
        open_emoji(DEFAULTS | changes)


@pytest.mark.parametrize("name", [PICTURES, WORDS])
def test_a_damaged_pack(tmp_path, name):
    for file in PACKED.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match=f"{name}: SHA-256 differs"):
        read_pack(tmp_path)
