import numpy as np
import pandas as pd
import pytest

from trakway.validation.lds import make as make_lds
from trakway.validation.lds_fixed import make


@pytest.fixture
def given():
    rng = np.random.default_rng(0)
    targets = pd.DataFrame({"target": range(4), "role": "evaluation", "kind": "test", "patch": "", "timestep": pd.NA})
    scores = {name: rng.standard_normal((4, 12)).astype(np.float32) for name in ("one", "other")}
    subsets = rng.random((10, 12)) < 0.7
    outputs = {"00000-00006": rng.standard_normal((6, 4)), "00006-00010": rng.standard_normal((4, 4))}
    return {
        "scores": scores,
        "records": {name: {"members": 1} for name in scores},
        "targets": targets.astype({"timestep": "Int64"}),
        "subsets": subsets,
        "outputs": outputs,
        "seed": 0,
        "resamples": 50,
        "level": 0.9,
    }


def test_each_share_has_the_lds_of_its_own_models(given):
    found = make(**given, dropped=[0.1, 0.4])
    outputs = np.concatenate(list(given["outputs"].values()))
    for share, part in ((0.1, slice(0, 5)), (0.4, slice(5, 10))):
        own = given | {"subsets": given["subsets"][part], "outputs": {"all": outputs[part]}}
        expected = make_lds(**own)
        for name, other in (("lds_fixed", "lds"), ("lds_fixed_pairs", "lds_pairs")):
            rows = found[name][found[name]["dropped"] == share].drop(columns="dropped").reset_index(drop=True)
            pd.testing.assert_frame_equal(rows, expected[other])
    assert found["lds_fixed"]["dropped"].unique().tolist() == [0.1, 0.4]


def test_exact_scores_of_a_linear_world_are_right_at_every_share(given):
    total = given["scores"]["one"].astype(np.float64) @ given["subsets"].T
    found = make(**given | {"outputs": {"all": total.T}}, dropped=[0.1, 0.4])["lds_fixed"]
    assert (found.loc[found["method"] == "one", "lds"] > 0.999).all()
    assert (found.loc[found["method"] == "other", "lds"] < 0.9).all()
