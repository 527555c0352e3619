"""Tests of the samples of captions."""

import numpy as np
import pandas as pd
import pytest

from trakway.figures.captions import draw
from trakway.validation import captions


@pytest.mark.parametrize("classes", [["coat", "bag"], ["all", "bag"], ["coat", "all"], ["coat", "NA"]])
def test_every_class_has_its_row_whatever_it_is_called(check, tmp_path, classes):
    rng = np.random.default_rng(0)
    prompts = {"0": pd.DataFrame({"caption": ["a", "b", "c"], "label": [1, 0, 1]})}
    given = np.array([[[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]]], np.float32)
    table = captions.make(prompts, {"0": given}, {"0": given}, {"classes": classes}, seed=0, resamples=9, level=0.9)
    table.to_csv(tmp_path / "captions.csv", index=False)
    pictures = {"0": rng.uniform(-1, 1, (1, 3, 1, 8, 8)).astype(np.float32)}
    figure = draw(prompts, pictures, pd.read_csv(tmp_path / "captions.csv"), {"classes": classes}, "a title")
    check(figure)
    said = {text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))}
    assert {f"{classes[0]}: 80% agreement", f"{classes[1]}: 70% agreement"} <= said
