"""Packing colour emoji with their names: pictures drawn from a font, words from Unicode's list."""

import gzip
import lzma
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont, features

from trakway.data.checksums import write_checksums
from trakway.data.emoji import PICTURES, SIDE, WORDS
from trakway.data.utf8 import read_lines
from trakway.errors import UserError
from trakway.storage.files import replacing

PIXELS_PER_EM = 109  # the one size of the bitmaps in Noto Color Emoji
LINE = re.compile(r"(?P<codepoints>[0-9A-F ]+?) *; fully-qualified +# \S+ E[0-9.]+ (?P<name>.+)")


def pack(font: str | os.PathLike, names: str | os.PathLike, output: str | os.PathLike) -> int:
    """Write the pack: pictures, words and checksums; the bytes depend on the sources (and on Pillow and liblzma) alone.

    Args:
        font: ``NotoColorEmoji.ttf`` with bitmaps (CBDT).
        names: Unicode's ``emoji-test.txt``.
        output: folder to write into.

    Returns:
        The size of the pack in bytes.

    Raises:
        UserError: a file is not what it should be, or the font lacks an emoji of the list.
    """
    words, output = read_names(Path(names)), Path(output)
    pictures = draw([_text(codepoints) for codepoints in words["codepoints"]], Path(font))
    with replacing(output / PICTURES) as temporary:
        temporary.write_bytes(lzma.compress(pictures.tobytes(), preset=9))
    with replacing(output / WORDS) as temporary:
        text = words.to_csv(index=False, lineterminator="\n")
        temporary.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    write_checksums(output, (PICTURES, WORDS))
    return sum((output / name).stat().st_size for name in (PICTURES, WORDS))


def read_names(file: Path) -> pd.DataFrame:
    """Return the fully-qualified emoji of the list, in its order: codepoints, name, group, subgroup.

    Raises:
        UserError: it is another file.
    """
    rows, heading = [], {"group": "", "subgroup": ""}
    for line in read_lines(file):
        start, _, rest = line.partition(": ")
        if start in ("# group", "# subgroup"):
            heading[start[2:]] = rest
        elif match := LINE.fullmatch(line):
            rows.append(match.groupdict() | heading)
    if not rows or not all(all(row.values()) for row in rows):
        raise UserError(f"{file}: found no emoji in groups; allowed: emoji-test.txt of Unicode; give that file")
    return pd.DataFrame(rows)


def draw(texts: list[str], font: Path) -> np.ndarray:
    """Return emoji on white, uint8 (emoji, SIDE, SIDE, 3).

    Raises:
        UserError: Pillow cannot join the parts of an emoji, or the font cannot be used or lacks one.
    """
    if not features.check("raqm"):
        raise UserError("Pillow was built without raqm, which joins the parts of an emoji; install it from a wheel")
    try:
        face = ImageFont.truetype(str(font), PIXELS_PER_EM, layout_engine=ImageFont.Layout.RAQM)
    except OSError as error:
        raise UserError(
            f"{font}: cannot be used ({error}); allowed: NotoColorEmoji.ttf with bitmaps of {PIXELS_PER_EM} pixels an"
            " em; give that file"
        ) from error
    left, top, right, bottom = face.getbbox(texts[0])
    side = max(right - left, bottom - top)
    corner = ((side - right - left) // 2, (side - bottom - top) // 2)
    pictures = np.empty((len(texts), SIDE, SIDE, 3), np.uint8)
    for row, text in enumerate(texts):
        if face.getbbox(text) != (left, top, right, bottom):  # its parts stand side by side
            raise UserError(f"{font}: found no picture of {text!r}; allowed: a font of the list's version or later")
        page = Image.new("RGB", (side, side), "white")
        ImageDraw.Draw(page).text(corner, text, font=face, embedded_color=True)
        pictures[row] = page.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        if (pictures[row] == 255).all():
            raise UserError(f"{font}: found an empty picture of {text!r}; allowed: a font with colour bitmaps")
    return pictures


def _text(codepoints: str) -> str:
    return "".join(chr(int(part, 16)) for part in codepoints.split())
