"""The configuration and the library speak of the same methods, models, data sets and projections."""

import inspect
import re
from pathlib import Path

import pytest
import torch

from trakway import attribution, plan
from trakway.config.checks import NEED_ESTIMATION
from trakway.config.schemas import load_schema
from trakway.data.preparation import OPENERS, SOURCES
from trakway.models import MODELS, build_image_model
from trakway.projection.build import build_projection
from trakway.tasks.build import build_task

ROOT = Path(__file__).parents[1]
KEYS = load_schema("experiment")["properties"]
METHODS = KEYS["methods"]["items"]["enum"]


def values(section, key):
    node = KEYS[section]["properties"][key]
    return node.get("enum") or node["items"]["enum"]


def test_methods():
    lists = [METHODS, values("removal", "methods"), values("removal", "full_grid")]
    assert all(names == list(plan.NEEDS) for names in lists)
    assert KEYS["methods"]["default"] == METHODS
    assert set(NEED_ESTIMATION) == {name for name, needs in plan.NEEDS.items() if "estimation" in needs}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_the_options_that_the_plan_says(name):
    material, out, *options = inspect.signature(attribution.method(name)).parameters.values()
    assert (material.name, out.name) == ("material", "out")
    assert tuple(option.name for option in options) == plan.OPTIONS.get(name, ())
    assert {option.name for option in options} <= set(KEYS["scores"]["properties"])


def test_every_option_is_some_methods():
    assert {option for options in plan.OPTIONS.values() for option in options} == set(KEYS["scores"]["properties"])


@pytest.mark.parametrize("average", values("scores", "average"))
def test_averages(average):
    features = attribution.Features(*(torch.randn(size, 2).numpy() for size in (5, 1)), torch.rand(5).numpy())
    out = torch.empty(1, 5).numpy()
    attribution.method("trak")(attribution.Material(0, 5, 1, [features]), out, ridge=0.1, average=average)


def test_models():
    assert values("model", "name") == list(MODELS)


@pytest.mark.parametrize("name", values("model", "name"))
def test_models_build(name):
    with torch.device("meta"):
        model = build_image_model({"name": name, "widths": None}, 1, 7)
    assert list(model.parameters())[-1].shape[0] == 7


def test_data_sets_and_sources():
    assert values("dataset", "name") == list(OPENERS)
    assert values("dataset", "source") == list(SOURCES)


@pytest.mark.parametrize("kind", values("projection", "kind"))
def test_projections_build(kind):
    projection = {"kind": kind, "dim": None if kind == "identity" else 4, "nonzeros": 1}
    assert build_projection(projection, 10, 0, 0)(torch.ones(3, 10)).shape == (3, 10 if kind == "identity" else 4)
    assert set(values("ablation", "projection")) == set(values("projection", "kind"))


@pytest.mark.parametrize("name", KEYS["task"]["enum"])
def test_tasks_build(name, prepared, experiment):
    assert build_task(experiment | {"task": name}, prepared).train_size == 40


def readme_rows():
    """Return {section: [(keys of the row, whole row)]} of the table of experiments in config/README.md."""
    text = (ROOT / "config/README.md").read_text()
    table = text.split("| section | key | meaning |\n| --- | --- | --- |\n")[1].split("\n\n")[0]
    rows, section = {}, ""
    for line in table.splitlines():
        first, second, _ = (cell.strip() for cell in line.strip("|").split("|", 2))
        section = first.strip("`") or section
        rows.setdefault(section, []).append((re.findall(r"`(\w+)`", second), line))
    return rows


def test_every_key_is_in_the_readme_and_no_other():
    rows = readme_rows()
    plain = [key for key, node in KEYS.items() if "properties" not in node and key != "methods"]
    assert sorted(key for keys, _ in rows.pop("") for key in keys) == sorted(plain)
    assert list(rows) == [key for key in KEYS if key not in plain]
    for section, lines in rows.items():
        properties = KEYS[section].get("properties", {})
        assert sorted(key for keys, _ in lines for key in keys) == sorted(properties), section
    for part in ("evaluation", "estimation"):
        (line,) = (line for keys, line in rows["bank"] if keys == [part])
        assert all(f"`{key}`" in line for key in KEYS["bank"]["properties"][part]["properties"])


def test_every_value_is_in_the_readme():
    rows = readme_rows()
    for section, node in KEYS.items():
        for key, inner in node.get("properties", {}).items():
            for value in inner.get("enum", []):
                (line,) = (line for keys, line in rows[section] if key in keys)
                assert f"`{value}`" in line, (section, key)
    ((_, line),) = rows["methods"]
    assert re.findall(r"`(\w+)`", line)[1:] == METHODS


def test_every_key_of_config_yaml_is_in_the_readme():
    table = (ROOT / "config/README.md").read_text().split("| key | meaning |\n| --- | --- |\n")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(load_schema("config")["properties"])
