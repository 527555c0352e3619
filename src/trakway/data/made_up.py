"""Examples that are made up: of the shapes that a data set declares, to measure with where it is not at hand."""

import numpy as np

from trakway.data.captioned import Captioned
from trakway.data.pixels import ArrayPixels
from trakway.data.source import Examples, Source, Split
from trakway.data.texts import Texts
from trakway.plan.datasets import Dataset

VOCABULARY = ("a", "good", "film", "about", "the", "sea", "and", "war")
WORDS = 40  # of a text, and a fifth of it of a caption


def made_up(known: Dataset, classes: list[str], side: int, counts: dict[str, int], pairs: bool = False) -> Source:
    """Return random examples.

    Args:
        known: what the data set declares.
        classes: their names.
        side: of pictures, in pixels.
        counts: examples of ``train`` and ``test``.
        pairs: whether texts come in pairs.
    """
    rng = np.random.default_rng(0)

    def words(number: int) -> str:
        return " ".join(rng.choice(VOCABULARY, number))

    def examples(count: int) -> Examples:
        if known.kind == "texts":
            texts = [words(WORDS) for _ in range(count)]
            return Texts(texts, texts if pairs else None)
        pixels = ArrayPixels(rng.integers(0, 256, (count, known.channels or 3, side, side), np.uint8))
        if known.kind == "images":
            return pixels
        captions = [[f"{words(WORDS // 5)} {row} {place}" for place in range(known.captions)] for row in range(count)]
        return Captioned(pixels, captions)

    splits = [Split(examples(count), np.arange(count) % len(classes), np.arange(count)) for count in counts.values()]
    return Source("made up", "none", tuple(classes), *splits)
