"""Patterns of files are filled in from the settings."""

import pytest

from trakway.errors import UserError
from trakway.report.reads import files, is_several

SETTINGS = {
    "task": "image_diffusion",
    "methods": ["trak", "journey_trak", "pixel"],
    "members": {"count": 3, "checkpoints": None},
    "bank": {"evaluation": {"subsets": 2, "seeds": 2}, "estimation": {"subsets": 1, "seeds": 1}, "fixed": None},
    "removal": {
        "targets": 1, "fractions": [0.1], "sides": ["top"], "methods": ["trak"], "random": 1, "seeds": 1,
        "reference": 2, "fixed": 0,
    },
    "autoencoder": None,
    "domain": None,
    "execution": {"members_per_job": 2, "models_per_job": 3},
}  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("tables/lds.csv", {"": "tables/lds.csv"}),
        ("data/", {"": "data/"}),
        ("scores/{main}.npy", {"journey_trak": "scores/journey_trak.npy"}),
        ("scores/{method}.npy", {m: f"scores/{m}.npy" for m in SETTINGS["methods"]}),
        ("scores/{per_step}.npy", {"journey_trak": "scores/journey_trak.npy"}),
        (
            "outputs/evaluation/{shard}.npy",
            {
                "00000-00002": "outputs/evaluation/00000-00002.npy",
                "00002-00004": "outputs/evaluation/00002-00004.npy",
            },
        ),
        (
            "completions/{reference,members}/{shard}/index.parquet",
            {
                "reference/00000-00002": "completions/reference/00000-00002/index.parquet",
                "members/00000-00002": "completions/members/00000-00002/index.parquet",
                "members/00002-00003": "completions/members/00002-00003/index.parquet",
            },
        ),
    ],
)
def test_files(pattern, found):
    assert files(pattern, SETTINGS) == found
    assert is_several(pattern) == ("{" in pattern and "{main}" not in pattern)


def test_every_ensemble_with_all_its_shards():
    keys = list(files("train/{ensemble}/{shard}.curves.parquet", SETTINGS))
    assert [key.split("/")[0] for key in keys] == [
        "members", "members", "evaluation", "evaluation", "estimation", "reference", "removal"
    ]  # fmt: skip


def test_an_unknown_word_is_named():
    with pytest.raises(UserError, match=r"found {methods} in 'scores/{methods}.npy'; allowed: {main}, {method}, .*"):
        files("scores/{methods}.npy", SETTINGS)
