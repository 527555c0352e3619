"""Tests of the examples with the most extreme scores."""

import numpy as np

from trakway.figures.extremes import extremes


def test_extremes_by_hand():
    scores = np.array([[9.0, 9, 9, 9, 9], [0.1, -3, 2, 1, 0]], np.float32)
    picks = extremes(scores, [1], 2)
    assert picks["target"].eq(1).all()
    assert picks.query("side == 'helpful'")["row"].tolist() == [2, 3]
    assert picks.query("side == 'harmful'")["row"].tolist() == [1, 4]
    assert picks["rank"].tolist() == [0, 1, 0, 1]
    assert picks["score"].tolist() == [2, 1, -3, 0]


def test_extremes_of_few_examples_do_not_meet():
    picks = extremes(np.array([[1.0, 2, 3]]), [0], 6)
    assert picks["row"].tolist() == [2, 0]
