import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib import TTFont
from PIL import features

from trakway.data.checksums import CHECKSUMS, intact
from trakway.data.emoji import PACKED, PICTURES, WORDS, read_pack
from trakway.data.emoji_packing import draw, pack, read_names
from trakway.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "pack_emoji.py"
FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
LIST = """# emoji-test.txt
# group: Smileys & Emotion

# subgroup: face-smiling
1F600      ; fully-qualified     # 😀 E1.0 grinning face
263A FE0F  ; fully-qualified     # ☺️ E0.6 smiling face
263A       ; unqualified         # ☺ E0.6 smiling face

# Smileys & Emotion subtotal: 3
# group: Flags
# subgroup: country-flag
1F1EB 1F1F7 ; fully-qualified    # 🇫🇷 E2.0 flag: France
1F3FB       ; component          # 🏻 E1.0 light skin tone
"""


@pytest.fixture
def names(tmp_path):
    (tmp_path / "emoji-test.txt").write_text(LIST, encoding="utf-8")
    return tmp_path / "emoji-test.txt"


def test_the_pack_is_whole_small_and_says_where_it_is_from():
    files = {file.name for file in PACKED.iterdir()}
    assert files == {CHECKSUMS, PICTURES, WORDS, "LICENSE", "README.md"}
    assert intact(PACKED / PICTURES).stat().st_size + intact(PACKED / WORDS).stat().st_size < 4e6
    licence = (PACKED / "LICENSE").read_text()
    assert all(words in licence for words in ("SIL OPEN FONT LICENSE Version 1.1", "Copyright 2022 Google", "Unicode"))
    assert "googlefonts/noto-emoji" in (PACKED / "README.md").read_text()


def test_names_of_the_list(names):
    assert read_names(names).to_numpy().tolist() == [
        ["1F600", "grinning face", "Smileys & Emotion", "face-smiling"],
        ["263A FE0F", "smiling face", "Smileys & Emotion", "face-smiling"],
        ["1F1EB 1F1F7", "flag: France", "Flags", "country-flag"],
    ]


@pytest.mark.parametrize("text", ["", "# group: Flags\n", "1F600 ; fully-qualified # 😀 E1.0 grinning face\n"])
def test_other_lists(names, text):
    names.write_text(text)
    with pytest.raises(UserError, match=r"emoji-test.txt: found no emoji in groups; allowed: emoji-test.txt"):
        read_names(names)


@pytest.fixture
def outlines(tmp_path):
    """A font of outlines alone, all of them empty."""
    from fontTools.ttLib.tables._g_l_y_f import Glyph

    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "face"])
    builder.setupCharacterMap({0x1F600: "face"})
    builder.setupGlyf({name: Glyph() for name in (".notdef", "face")})
    builder.setupHorizontalMetrics({name: (1000, 0) for name in (".notdef", "face")})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Empty", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "empty.ttf")
    return tmp_path / "empty.ttf"


@pytest.mark.skipif(not features.check("raqm"), reason="Pillow without raqm")
def test_fonts_that_do_not_do(outlines, tmp_path):
    with pytest.raises(UserError, match="nowhere.ttf: cannot be used .*; allowed: NotoColorEmoji.ttf"):
        draw(["\U0001f600"], tmp_path / "nowhere.ttf")
    with pytest.raises(UserError, match="empty.ttf: found an empty picture of"):
        draw(["\U0001f600"], outlines)


def test_without_raqm(monkeypatch, outlines):
    monkeypatch.setattr("trakway.data.emoji_packing.features.check", lambda name: False)
    with pytest.raises(UserError, match="built without raqm"):
        draw(["\U0001f600"], outlines)


def packed_font():
    """Whether the font of the pack is installed, in its version."""
    return FONT.is_file() and TTFont(FONT)["name"].getDebugName(5).startswith("Version 2.042;")


@pytest.mark.skipif(not packed_font(), reason="the font is not installed")
def test_packing_gives_the_pack(names, tmp_path):
    words, pictures = read_pack(PACKED)
    for folder in ("a", "b"):
        done = subprocess.run(
            [sys.executable, SCRIPT, "--font", FONT, "--names", names, "--output", tmp_path / folder],
            env={"PYTHONPATH": str(SCRIPT.parents[1] / "src")},
            check=True,
            capture_output=True,
            text=True,
        )
        assert "MB" in done.stdout
    assert (tmp_path / "a" / CHECKSUMS).read_bytes() == (tmp_path / "b" / CHECKSUMS).read_bytes()
    some, drawn = read_pack(tmp_path / "a")
    rows = [words.index[words["name"] == name][0] for name in some["name"]]
    np.testing.assert_array_equal(drawn, pictures[rows])


def test_two_emoji_that_a_font_does_not_join(outlines, names, tmp_path):
    # Its only glyph is as empty as a space: the second, of two parts, is wider than the first.
    with pytest.raises(UserError, match="empty.ttf: found"):
        pack(outlines, names, tmp_path / "out")
    assert not (tmp_path / "out").exists()
