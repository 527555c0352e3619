import numpy as np
import pandas as pd
import pytest

from trakway.validation import captions


def test_agreement_by_hand():
    labels = np.array([0, 1, 1, 0])
    reference = np.zeros((2, 4, 2), np.float32)
    reference[0, :, 1] = [0.2, 0.9, 0.4, 0.3]
    reference[0, :, 0] = 1 - reference[0, :, 1]
    bank = np.stack([reference[0], np.full((4, 2), 0.5, np.float32)])
    table = captions.make(
        {"00000-00002": pd.DataFrame({"label": labels, "caption": "any"})},
        {"00000-00002": reference},
        {"00000-00001": bank[:1], "00001-00002": bank[1:]},
        {"classes": ["coat", "bag"]},
        seed=0,
        resamples=500,
        level=0.9,
    )
    table = table.set_index(["model", "caption"])
    assert table.index.tolist() == [(m, c) for m in ("reference", "bank") for c in ("all", "coat", "bag")]
    given = {"coat": [0.8, 0.7], "bag": [0.9, 0.4]}
    for name, values in given.items():
        assert table.loc[("reference", name), "agreement"] == pytest.approx(np.mean(values))
        assert table.loc[("bank", name), "agreement"] == pytest.approx((np.mean(values) + 0.5) / 2)
    row = table.loc[("reference", "all")]
    assert row["agreement"] == pytest.approx(0.7)
    assert row["most_probable"] == 0.75
    assert 0.4 < row["agreement_low"] < 0.7 < row["agreement_high"] <= 0.9
    assert (row["samples"], row["models"]) == (4, 1)
    bank_row = table.loc[("bank", "all")]
    assert (bank_row["agreement_low"], bank_row["agreement_high"]) == (pytest.approx(0.5), pytest.approx(0.7))
    assert bank_row["models"] == 2
