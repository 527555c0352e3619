import numpy as np
import pytest

import trakway as tw
from trakway.metrics.lds import lds_per_target, predicted

rng = np.random.default_rng(0)
MASKS = rng.random((8, 24)) < 0.5
TRUE = rng.standard_normal((6, 24))
OUTPUTS = np.repeat(MASKS @ TRUE.T, 2, axis=0) + 0.1 * rng.standard_normal((16, 6))


def test_lds_of_any_arrays():
    scores = {"good": TRUE, "theirs": (TRUE + rng.standard_normal(TRUE.shape)).astype(np.float32)}
    table = tw.lds(scores, MASKS, OUTPUTS, resamples=50).set_index("method")
    mean = OUTPUTS.reshape(8, 2, 6).mean(1)
    for name, values in scores.items():
        assert table.loc[name, "lds"] == lds_per_target(predicted(values, MASKS), mean).mean()
    assert table["ceiling"].notna().all()
    assert table[["subsets", "seeds", "targets"]].iloc[0].tolist() == [8, 2, 6]
    pairs = tw.pairs(scores, MASKS, OUTPUTS, resamples=50)
    assert pairs[["method", "against"]].iloc[0].tolist() == ["good", "theirs"]
    assert pairs["difference"].iloc[0] > 0


def test_outputs_are_those_of_each_model(task, members):
    found = tw.evaluate(task, members)
    batch = task.target_batch(np.arange(6))
    assert np.array_equal(found, [task.output(model, batch).detach().double().numpy() for model in members])


@pytest.mark.parametrize(
    ("scores", "masks", "outputs", "message"),
    [
        ({"a": TRUE.T}, MASKS, OUTPUTS, r"a has shape \(24, 6\), allowed: \(6, 24\).*try .T"),
        ({"a": TRUE[:, 1:]}, MASKS, OUTPUTS, r"a has shape \(6, 23\), allowed: \(6, 24\)"),
        ({"a": TRUE * np.nan}, MASKS, OUTPUTS, "scores of a .* not finite"),
        (TRUE, MASKS, OUTPUTS, "scores: found ndarray, allowed: {name: array"),
        ({"a": TRUE}, MASKS[:1], OUTPUTS, "subsets: found 1, allowed: 2 or more, since the LDS is a rank correlation"),
        ({"a": TRUE}, MASKS[0], OUTPUTS, r"subsets: found shape \(24,\)"),
        ({"a": TRUE}, MASKS, OUTPUTS[1:], r"outputs: found shape \(15, 6\), allowed: .*a multiple of 8 subsets"),
        ({"a": TRUE}, MASKS, OUTPUTS.ravel(), r"outputs: found shape \(96,\)"),
    ],
)
def test_mistakes(scores, masks, outputs, message):
    with pytest.raises(tw.UserError, match=message):
        tw.lds(scores, masks, outputs, resamples=10)
