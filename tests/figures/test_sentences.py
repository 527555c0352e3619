import numpy as np
import pandas as pd
import pytest

from trakway.data import prepare
from trakway.figures.sentences import draw
from trakway.metrics.effects import effect

TEXTS = ['<b>bold</b> & "quoted"', "شب بخیر، فیلم خوبی بود", "映画はとても良かった", "a" * 300, "e", "f", "g", "h"]


@pytest.fixture
def page(tmp_path):
    rows = {"text": TEXTS * 4, "label": ["good", "bad"] * 16}
    pd.DataFrame(rows).to_csv(tmp_path / "texts.csv", index=False)
    prepare({"name": "text_files", "path": str(tmp_path / "texts.csv")}, 0, tmp_path / "data")
    rng = np.random.default_rng(0)
    targets = pd.DataFrame({"target": range(4), "row": [3, 1, 0, 2], "label": [0, 1, 0, 1]})
    scores, masks = rng.standard_normal((4, 24)), rng.random((10, 24)) < 0.5
    bank = {"a": rng.standard_normal((12, 4)), "b": rng.standard_normal((8, 4))}
    reference = {"a": np.array([[1.0, -2.0, 3.0, 0.5]]), "b": np.array([[2.0, -1.0, 3.0, 0.5]])}
    text = draw(tmp_path / "data", targets, scores, reference, masks, bank, 2, 3, "a title & more")
    return text, scores, masks, np.concatenate([bank["a"], bank["b"]]), tmp_path / "data"


def test_nothing_of_a_text_becomes_part_of_the_page(page):
    text = page[0]
    assert "<b>bold" not in text
    assert "<title>a title &amp; more</title>" in text
    assert text.count("<section>") == 2


def test_what_stands_in_it(page):
    text, scores, masks, outputs, data = page
    examples = pd.read_parquet(data / "examples.parquet")
    train = examples[examples["split"] == "train"]
    means = outputs.reshape(10, 2, 4).mean(1)
    first, second = text.split("<section>")[1:]
    for target, part in enumerate((first, second)):
        order = np.argsort(-scores[target])
        for row in [*order[:3], *order[-3:]]:
            difference, error = (value[target] for value in effect(masks, means, row))
            assert f"{difference:+.2f} ± {error:.2f}".replace("-", "−") in part
            assert f"{scores[target][row]:+.2f}".replace("-", "−") in part
            shown = train.iloc[row]["text"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            assert shown.replace('"', "&#34;") in part
    assert "(right), margin +1.50" in first
    assert "(wrong), margin −1.50" in second


def test_nothing_is_fetched(page):
    assert not any(word in page[0] for word in ("http", "src=", "@import", "url("))
