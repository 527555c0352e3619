import json

import pytest

from trakway.config import load_experiment, read_settings, section
from trakway.errors import UserError


@pytest.fixture
def settings(write):
    return load_experiment(write(), "demo")


def test_section_takes_what_is_named_in_order(settings):
    chosen = section(settings, "training", "seed")
    assert list(chosen) == ["training", "seed"]
    assert chosen == {"training": settings["training"], "seed": 1}
    assert section(settings) == {}


def test_section_takes_parts_of_sections(settings):
    chosen = section(settings, "bank.fraction", "bank.evaluation", "removal.seeds")
    assert chosen == {"bank": {"fraction": 0.5, "evaluation": {"subsets": 50, "seeds": 3}}, "removal": {"seeds": 2}}


def test_section_is_a_copy(settings):
    section(settings, "scores")["scores"]["ridge"].append(5)
    part = section(settings, "bank", "bank.evaluation")
    part["bank"]["evaluation"]["seeds"] = 9
    assert 5 not in settings["scores"]["ridge"]
    assert settings["bank"]["evaluation"]["seeds"] == 3


@pytest.mark.parametrize("name", ["execution", "execution.chunk"])
def test_execution_never_decides_a_result(settings, name):
    with pytest.raises(ValueError, match="execution"):
        section(settings, "seed", name)


def test_section_that_does_not_exist(settings):
    with pytest.raises(KeyError):
        section(settings, "sede")


@pytest.mark.parametrize("kind", ["text", "json", "yaml", "str path"])
def test_settings_come_back(settings, tmp_path, kind):
    chosen = section(settings, "seed", "bank.evaluation", "scores")
    text = json.dumps(chosen)
    path = tmp_path / ("x.yaml" if kind == "yaml" else "x.json")
    path.write_text(text)
    source = {"text": " " + text, "str path": str(path)}.get(kind, path)
    assert read_settings(source) == chosen


def test_complete_settings_come_back(settings):
    assert read_settings(json.dumps(settings)) == settings


def test_settings_are_validated():
    with pytest.raises(UserError) as caught:
        read_settings('{"members": {"count": 0}, "seeed": 1}')
    count, unknown = str(caught.value).splitlines()
    assert count.startswith("settings: members.count: found 0; allowed: a whole number >= 1.")
    assert unknown.startswith("settings: seeed: found an unknown key")
    assert 'Did you mean "seed"?' in unknown


def test_an_experiment_is_not_settings(write):
    path = write()
    with pytest.raises(UserError, match=r"mine\.yaml: tiers: found an experiment.*python -m trakway\.config"):
        read_settings(path)


def test_list_text_and_missing_path(tmp_path):
    with pytest.raises(UserError, match="^settings: found a list"):
        read_settings("[1]")
    with pytest.raises(UserError, match="cannot be read"):
        read_settings(tmp_path / "none.json")
