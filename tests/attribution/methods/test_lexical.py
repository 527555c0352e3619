"""BM25 and TF-IDF by their definitions, word by word."""

import math
from collections import Counter

import numpy as np
import pytest

from trakway.attribution.methods import bm25, tfidf
from trakway.attribution.values import Documents

TRAIN = [
    "a good film",
    "a bad bad movie",
    "the plot of the film is good",
    "dull",
    "Good grief, what a film",
    "film film",
]
TARGETS = ["good film", "bad plot", "zebra", "FILM"]
LABELS = (np.array([1, 0, 1, 0, 0, 1]), np.array([1, 0, 1, 0]))


@pytest.fixture
def material(random_material):
    made = random_material(n=len(TRAIN), targets=len(TARGETS), labels=LABELS)
    return made.replace(texts=Documents(np.array(TRAIN, object), np.array(TARGETS, object)))


def words(text):
    """Words of two letters at least, in lower case."""
    return [word for word in "".join(c if c.isalnum() else " " for c in text.lower()).split() if len(word) > 1]


def sign(target, example):
    return 1 if LABELS[1][target] == LABELS[0][example] else -1


def test_bm25(material):
    k1, b = 1.5, 0.75
    found = np.full((len(TARGETS), len(TRAIN)), np.nan, np.float32)
    bm25.score(material, found)
    documents = [words(text) for text in TRAIN]
    mean = np.mean([len(document) for document in documents])
    for target, query in enumerate(map(words, TARGETS)):
        for example, document in enumerate(documents):
            expected, counts = 0.0, Counter(document)
            for word in query:
                holding = sum(word in other for other in documents)
                weight = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
                length = 1 - b + b * len(document) / mean
                expected += weight * counts[word] / (counts[word] + k1 * length) if counts[word] else 0
            assert found[target, example] == pytest.approx(sign(target, example) * expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("block", [1, 4, 100])
def test_tfidf(material, block):
    material = material.replace(block=block)
    found = np.full((len(TARGETS), len(TRAIN)), np.nan, np.float32)
    tfidf.score(material, found)
    documents = [words(text) for text in TRAIN]
    known = sorted({word for document in documents for word in document})

    def vector(text):
        counts = Counter(text)
        held = {word: sum(word in document for document in documents) for word in known}
        row = [
            (1 + math.log(counts[word])) * (1 + math.log((1 + len(documents)) / (1 + held[word])))
            if counts[word]
            else 0
            for word in known
        ]
        return np.array(row) / (np.linalg.norm(row) or 1)

    for target, query in enumerate(map(words, TARGETS)):
        for example, document in enumerate(documents):
            expected = sign(target, example) * vector(query) @ vector(document)
            assert found[target, example] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_some_targets(material):
    part = material.of_targets(slice(1, 3))
    assert part.texts.targets.tolist() == TARGETS[1:3]
    assert part.texts.train.tolist() == TRAIN
    whole, found = (np.empty((count, len(TRAIN)), np.float32) for count in (len(TARGETS), 2))
    bm25.score(material, whole)
    bm25.score(part, found)
    np.testing.assert_array_equal(found, whole[1:3])
