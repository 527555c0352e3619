import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import trakway as tw


def test_bars_of_a_table():
    table = pd.DataFrame({
        "method": ["trak", "mine"], "lds": [0.4, 0.1], "lds_low": [0.3, 0.0], "lds_high": [0.5, 0.2],
        "ceiling": 0.7, "subsets": 8, "seeds": 1,
    })  # fmt: skip
    figure = tw.figure(table, title="Mine")
    assert isinstance(figure, Figure)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["mine", "TRAK"]


def test_pictures_of_the_most_helpful_and_harmful(task, members):
    scores = np.random.default_rng(0).standard_normal((6, 24))
    outputs = tw.evaluate(task, members)
    figure = tw.figure(scores, task, outputs=outputs, targets=[1, 4, 99], examples=2, classes=["cat", "dog", "owl"])
    assert len(figure.axes) == 2 * (1 + 2 * 2)
    assert figure.axes[0].get_title().startswith("dog")


def test_mistakes(task, members):
    scores, outputs = np.zeros((6, 24)), tw.evaluate(task, members)
    with pytest.raises(tw.UserError, match="pictures need figure"):
        tw.figure(scores, task)
    with pytest.raises(tw.UserError, match=r"found scores \(24, 6\)"):
        tw.figure(scores.T, task, outputs=outputs)
    words = {"tokens": np.ones((6, 24)), "labels": np.arange(6) % 2}
    import torch

    text = tw.task(lambda: Tokens(torch), train=words, targets=words, device="cpu")
    with pytest.raises(tw.UserError, match=r"found examples of shape \(6, 24\), allowed: pictures"):
        tw.figure(np.zeros((6, 6)), text, outputs=np.zeros((1, 6)))


def Tokens(torch):  # noqa: N802
    class Model(torch.nn.Linear):
        def forward(self, tokens):
            return super().forward(tokens)

    return Model(24, 2)
