"""Names and captions as people give them, in figures: letters that the style's font lacks, and more than there is room.

Call it where a text is made, in the style: a font that is found for a letter joins those of the style.
"""

import functools
import re
import sys
import unicodedata

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

NARROW, WIDE = 0.62, 1.05  # of the size of the letters, how much room one takes: of most scripts, of East Asian ones
NO_FONT = "Last Resort"  # comes with matplotlib, and has a box for everything


def written(text: str, inches: float | None = None, size: float = 10.0) -> str:
    """Return a text as it can be shown: cut off where it is too long, with the numbers of letters that no font has.

    Args:
        text: on one line.
        inches: how much room there is; None: as much as it takes.
        size: of the letters, in points.
    """
    text = " ".join(text.split())
    if inches is not None:
        text = _cut(text, 72 * inches / size)
    unknown = [letter for letter in dict.fromkeys(text) if letter.isprintable() and not _has_font(letter)]
    if unknown:
        _say("".join(unknown))
        text = re.sub(f"[{re.escape(''.join(unknown))}]", lambda letter: f"[U+{ord(letter[0]):04X}]", text)
    return text


def _cut(text: str, room: float) -> str:
    widths = [WIDE if unicodedata.east_asian_width(letter) in "WF" else NARROW for letter in text]
    if sum(widths) <= room:
        return text
    taken = NARROW  # of the dots
    for place, width in enumerate(widths):
        taken += width
        if taken > room:
            return text[: max(1, place)].rstrip() + "…"
    return text


def _has_font(letter: str) -> bool:
    """Whether a font has a letter; one that is found for it joins those in use."""
    family = _family(letter)
    if family and family not in matplotlib.rcParams["font.family"]:
        matplotlib.rcParams["font.family"] = [*matplotlib.rcParams["font.family"], family]
    return family is not None


@functools.cache
def _family(letter: str) -> str | None:
    """Return the first font that has a letter, the style's own before all others; None if there is none."""
    own = font_manager.findfont("DejaVu Sans")
    others = sorted((entry.name, entry.fname) for entry in font_manager.fontManager.ttflist)
    for name, file in [("DejaVu Sans", own), *others]:
        if not name.startswith(NO_FONT) and FT2Font(file).get_char_index(ord(letter)):
            return name
    return None


@functools.cache
def _say(letters: str) -> None:
    print(
        f"note: no font on this machine has {', '.join(letters[:5])}: figures show the letters' numbers; install one"
        " that has them, such as the Debian package fonts-noto-cjk or fonts-noto-core, and draw the figure again",
        file=sys.stderr,
    )
