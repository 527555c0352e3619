import base64

import numpy as np
import pytest

from trakway.explorer.packing import packed
from trakway.explorer.rankings import BINS, entry_data, ranks
from trakway.figures.extremes import extremes


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    found = {name: rng.normal(size=41).astype(np.float32) for name in ("one", "two", "ties")}
    found["ties"] = np.round(found["ties"])
    return found


def unpacked(text, width, count):
    bits = "".join(f"{byte:08b}" for byte in base64.b64decode(text))
    return [int(bits[i * width : (i + 1) * width], 2) for i in range(count)]


def numbers(found):
    return np.frombuffer(base64.b64decode(found["data"]), "<i2") * 10.0 ** found["power"]


def test_ranks_are_those_of_the_figures(scores):
    """The most helpful first, the most harmful last, also among equal scores."""
    for values in scores.values():
        found = extremes(values[None], np.array([0]), 20)
        rank = ranks(values)
        assert sorted(rank) == list(range(41))
        helpful, harmful = (found[found["side"] == side]["row"].to_numpy() for side in ("helpful", "harmful"))
        assert rank[helpful].tolist() == list(range(20))
        assert rank[harmful].tolist() == list(range(40, 20, -1))


@pytest.mark.parametrize("shown", [3, 100])
def test_an_entry_holds_the_extremes_of_every_method_and_their_ranks_by_all(scores, shown):
    ranked = {name: ranks(values) for name, values in scores.items()}
    found = entry_data(scores, ranked, shown)
    most = min(shown, 20)
    kept = np.array(unpacked(found["examples"], 1, 41), bool)
    expected = {
        row for values in scores.values() for row in (*np.argsort(-values, kind="stable")[:most],
                                                      *np.argsort(-values, kind="stable")[41 - most:])
    }  # fmt: skip
    assert set(np.flatnonzero(kept)) == expected
    values = np.array(unpacked(found["ranks"], 6, 3 * kept.sum())).reshape(3, -1)
    for name, row in zip(scores, values, strict=True):
        np.testing.assert_array_equal(row, ranked[name][kept])
    for name, method in found["methods"].items():
        order = np.argsort(-scores[name].astype(float), kind="stable")
        extreme = scores[name][np.concatenate([order[:most], order[41 - most :]])]
        assert np.abs(numbers(method["scores"]) - extreme).max() <= 0.51 * 10.0 ** method["scores"]["power"]
        counts, edges = np.histogram(scores[name].astype(float), BINS)
        np.testing.assert_array_equal(method["counts"], counts)
        assert (method["low"], method["high"]) == pytest.approx((edges[0], edges[-1]), rel=1e-5)


def test_scores_that_are_all_the_same():
    values = {"zero": np.zeros(6, np.float32)}
    found = entry_data(values, {"zero": ranks(values["zero"])})
    assert numbers(found["methods"]["zero"]["scores"]).tolist() == [0] * 6
    assert sum(found["methods"]["zero"]["counts"]) == 6
    assert found["ranks"] == packed(np.arange(6), 3)
