import numpy as np
import pandas as pd
import pytest

from trakway.explorer.examples import LONG, cut, nearest, picture_vectors, text_vectors, words_of


def test_the_nearest_are_those_of_brute_force(monkeypatch):
    monkeypatch.setattr("trakway.explorer.examples.BLOCK", 7)  # blocks change nothing
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (25, 3, 4, 4)).astype(np.uint8)
    pictures[9] = pictures[2]
    digests = np.array([f"{i}" for i in range(25)], object)
    digests[9] = digests[2]
    vectors = picture_vectors(pictures)
    found = nearest(vectors, digests, 4)
    rows = pictures.reshape(25, -1).astype(float)
    cosines = np.corrcoef(rows)
    np.fill_diagonal(cosines, -2)
    for i in range(25):
        order = np.argsort(-cosines[i], kind="stable")[:4]
        assert found["rows"][i].tolist() == order.tolist()
        np.testing.assert_allclose(found["similarity"][i], cosines[i][order], atol=6e-4)
    assert (found["rows"][2][0], found["rows"][9][0]) == (9, 2)
    assert found["same"][2].tolist() == [True, False, False, False]
    assert found["same"].sum() == 2


def test_texts_are_near_by_their_words():
    texts = ["a good film", "a good film indeed", "dull", "nothing in common", "!!!", "a good film"]
    found = nearest(text_vectors(texts), np.array(texts, object), 2)
    assert found["rows"][0].tolist() == [5, 1]
    assert found["same"][0].tolist() == [True, False]
    assert (found["similarity"][4] == 0).all()  # without a word it is like nothing


def test_a_flat_picture_is_like_nothing():
    assert not picture_vectors(np.full((1, 1, 2, 2), 7, np.uint8)).any()


def test_fewer_examples_than_asked_for():
    assert nearest(np.eye(3), np.arange(3), 5)["rows"].shape == (3, 2)


def test_words_hold_the_columns_that_say_something():
    table = pd.DataFrame({"id": [5, 6], "label": [0, 1], "caption": "", "text": ["x", "y"], "text_pair": ["", ""]})
    assert words_of(table) == {"id": [5, 6], "label": [0, 1], "text": ["x", "y"]}
    table = pd.DataFrame({"id": [5], "label": [0], "caption": ["a"], "captions": [np.array(["a", "b"], object)]})
    assert words_of(table)["captions"] == [["a", "b"]]


@pytest.mark.parametrize("length", [0, LONG, LONG + 1, 3 * LONG])
def test_long_texts_say_how_much_is_left_out(length):
    found = cut("x" * length)
    assert found.startswith("x" * min(length, LONG))
    assert found.endswith(f" … ({length - LONG} more characters)") == (length > LONG)
