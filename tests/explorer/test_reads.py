from pathlib import Path

import pytest

from trakway.config import load_experiment
from trakway.explorer.reads import feature_files, parts_of

EXPERIMENTS = Path(__file__).parents[2] / "config/experiments"
ALWAYS = {"scores", "masks", "bank", "lds", "provenance"}
SOME = {
    "fashion_resnet": {"brittleness"},
    "reviews_bert": {"brittleness"},
    "digits_ddpm": {"completions", "emergence", "shift", "lds_fixed"},
    "fashion_ldm": {"completions", "emergence", "shift", "caption_words"},
}


def settings_of(name, **changes):
    return load_experiment(EXPERIMENTS / f"{name}.yaml", "smoke") | changes


@pytest.mark.parametrize("name", SOME)
def test_a_modality_reads_what_it_has(name):
    parts = parts_of(settings_of(name))
    reads = {read for part in parts for read in part.reads}
    assert reads >= ALWAYS
    assert reads & set().union(*SOME.values()) == SOME[name]
    values = {key: value for part in parts for key, value in part.values(settings_of(name)).items()}
    assert (values["name"], values["border"]) == (name, "brittleness" in SOME[name])


@pytest.mark.parametrize(
    ("methods", "there"),
    [(["trak", "pixel"], True), (["gradient_dot", "random"], False), (["pixel"], False)],
    ids=str,
)
def test_features_are_read_where_they_tell_self_influence(methods, there):
    """The main method has to be TRAK's estimator: other methods have no ridge."""
    found = feature_files(settings_of("fashion_resnet", methods=methods))
    assert bool(found) == there
    assert all(file.startswith("features/") and file.endswith(".json") for file in found)
