"""Words in common, by BM25 (Robertson et al., TREC-3, 1994), signed by class."""

import numpy as np

from trakway.attribution.material import Material
from trakway.attribution.similarity import class_sign
from trakway.plan.methods import Method

METHOD = Method(reads=("texts", "labels"), label="BM25", color="#BBCC33", marker="H", needs=("text",))


K1, B = 1.5, 0.75  # how soon further mentions of a word stop counting, and how much long texts are marked down


def score(material: Material, out: np.ndarray) -> None:
    """Fill ``out`` with the BM25 of z_i for the words of z (Lucene's idf); negative for another class."""
    import bm25s

    def words(texts: np.ndarray) -> list[list[str]]:
        return bm25s.tokenize(texts.tolist(), stopwords=[], return_ids=False, show_progress=False)

    index = bm25s.BM25(k1=K1, b=B, method="lucene")
    index.index(words(material.texts.train), show_progress=False)
    everything = slice(0, material.size)
    for row, query in enumerate(words(material.texts.targets)):
        out[row] = index.get_scores(query) if query else 0
    out *= class_sign(material.labels, everything)
