import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from trakway.validation.caption_exchange import exchanged_words, make


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a photo of a coat", "a photo of a bag", "coat → bag"),
        ("a photo of a coat", "a photo of a pair of trousers", "coat → pair of trousers"),
        ("a coat", "a coat", ""),
        ("red apple", "green pear", "red apple → green pear"),
        ("apple", "green apple", "→ green"),
    ],
)
def test_exchanged_words(one, other, expected):
    assert exchanged_words(one, other) == expected


def test_by_hand():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 10)
    examples = pd.DataFrame({"split": ["train"] * 20 + ["test"], "label": [*labels, 0]})
    known = [
        (0, 0, "generated", None, "a coat", 0),
        (0, 0, "generated", 5, "a coat", 0),
        (1, 1, "generated", None, "a bag", 1),
        (1, 1, "generated", 5, "a bag", 1),
        (2, 0, "exchanged", None, "a bag", 1),
        (2, 0, "exchanged", 5, "a bag", 1),
    ]
    targets = pd.DataFrame(known, columns=["target", "row", "kind", "timestep", "caption", "label"])
    targets = targets.assign(role="evaluation", patch="").astype({"timestep": "Int64"})
    scores = rng.standard_normal((6, 20)).astype(np.float32)
    scores[1, :5] += 10  # all of class 0
    scores[5, 10:12] += 10  # the first two of class 1, the others whatever
    outputs = {"00000-00002": np.array([[-1.0, -2, -3, -4, -5, -6], np.zeros(6)])}
    tables = make(scores, targets, examples, outputs, fraction=0.25, seed=0, resamples=50, level=0.9)
    words = tables["caption_words"]
    assert words[["sample", "timestep", "words"]].fillna(-1).values.tolist() == [
        [0, -1, "coat → bag"],
        [0, 5, "coat → bag"],
    ]
    assert words["output"].tolist() == [-1, -2]
    assert words["other_output"].tolist() == [-5, -6]
    means = tables["caption_exchange"].set_index("timestep")
    assert means.loc[5, "correlation"] == pytest.approx(spearmanr(scores[1], scores[5]).statistic)
    assert means.loc[5, "own_class"] == 1
    third = np.argsort(-scores[5])[:5]
    assert means.loc[5, "other_class"] == (third >= 10).mean()
    assert (means["own_chance"] == 0.5).all()
    assert (means["k"] == 5).all()
    assert (means["correlation_low"] == means["correlation"]).all()  # of one sample


def test_a_typed_caption_has_no_class_to_count():
    examples = pd.DataFrame({"split": ["train"] * 4, "label": [0, 0, 1, 1]})
    known = [
        (0, 0, "generated", "a ghost", -1),
        (1, 1, "generated", "a coat", 0),
        (2, 0, "exchanged", "a bag", 1),
        (3, 1, "exchanged", "a bag", 1),
    ]
    targets = pd.DataFrame(known, columns=["target", "row", "kind", "caption", "label"])
    targets = targets.assign(role="evaluation", patch="", timestep=None).astype({"timestep": "Int64"})
    scores = np.array([[4, 3, 2, 1], [4, 3, 2, 1], [1, 2, 3, 4], [4, 2, 3, 1]], np.float32)
    tables = make(scores, targets, examples, {"0": np.zeros((1, 4))}, fraction=0.5, seed=0, resamples=20, level=0.9)
    assert tables["caption_words"]["own_class"].isna().tolist() == [True, False]
    (row,) = tables["caption_exchange"].to_dict("records")
    assert (row["own_class"], row["own_class_low"], row["own_chance"]) == (1, 1, 0.5)  # of the coat alone
    assert row["other_class"] == pytest.approx((1 + 0.5) / 2)
    assert row["samples"] == 2
