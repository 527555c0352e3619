"""The configuration and the library speak of the same methods, models, data sets and projections."""

import inspect
import re
from pathlib import Path

import pytest
import torch

from trakway import attribution, plan
from trakway.config import load_experiment
from trakway.config.checks import SIZES
from trakway.config.network_checks import SIDES, UNET
from trakway.config.schemas import load_schema
from trakway.data.preparation import DEFAULTS, OPENERS, SOURCES
from trakway.figures.ablation import VALUES
from trakway.models import MODELS, build_image_model
from trakway.projection.build import build_projection
from trakway.tasks.build import build_task

ROOT = Path(__file__).parents[1]
SCHEMA = load_schema("experiment")
KEYS = SCHEMA["properties"]
METHODS = KEYS["methods"]["items"]["enum"]
EXAMPLES = {"image_classification": "fashion_resnet", "image_diffusion": "digits_ddpm"}  # of each task, small


def values(section, key):
    node = KEYS[section]["properties"][key]
    return node.get("enum") or node["items"]["enum"]


def test_methods():
    lists = [METHODS, values("removal", "methods"), values("removal", "full_grid")]
    assert all(names == list(plan.NEEDS) for names in lists)
    assert list(plan.METHODS) == KEYS["task"]["enum"]
    assert {name for names in plan.METHODS.values() for name in names} == set(METHODS)


def test_methods_by_default_are_those_of_the_task():
    assert SCHEMA["if"]["properties"] == {"task": {"const": "image_diffusion"}}
    assert SCHEMA["then"]["properties"]["methods"]["default"] == list(plan.METHODS["image_diffusion"])
    assert KEYS["methods"]["default"] == list(plan.METHODS["image_classification"])


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
    assert values("model", "name") == [*MODELS, UNET]


@pytest.mark.parametrize("name", MODELS)
def test_models_build(name):
    with torch.device("meta"):
        model = build_image_model({"name": name, "widths": None}, 1, 7)
    assert list(model.parameters())[-1].shape[0] == 7


def test_data_sets_and_sources():
    assert values("dataset", "name") == list(OPENERS)
    assert values("dataset", "source") == list(SOURCES)


@pytest.mark.parametrize("name", ["digits", "fashion_mnist"])
def test_sizes_that_the_checks_know(name):
    source = OPENERS[name](DEFAULTS | {"source": "packed"})
    assert source.train.pixels.shape(None)[1:] == (SIDES[name], SIDES[name])
    for split, size in SIZES.get(name, {}).items():
        assert len(getattr(source, split.removesuffix("_size")).labels) == size


@pytest.mark.parametrize("kind", values("projection", "kind"))
def test_projections_build(kind):
    projection = {"kind": kind, "dim": None if kind == "identity" else 4, "nonzeros": 1}
    built = build_projection(projection, 10, 0, 0, [(2, 4), (2,)])
    assert built(torch.ones(3, 10)).shape == (3, 10 if kind == "identity" else 4)
    assert set(values("ablation", "projection")) == set(values("projection", "kind"))
    assert kind in VALUES


@pytest.mark.parametrize(("name", "example"), EXAMPLES.items())
def test_tasks_build_from_the_settings_of_an_experiment(name, example, prepared):
    settings = load_experiment(ROOT / f"config/experiments/{example}.yaml", "smoke")
    assert settings["task"] == name
    assert build_task(settings, prepared).train_size == 40


def test_every_task_has_an_example():
    assert list(EXAMPLES) == KEYS["task"]["enum"]


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
    ((_, line),) = ((keys, line) for keys, line in rows["journey"] if keys == ["patches"])
    assert all(f"{key}:" in line for key in KEYS["journey"]["properties"]["patches"]["items"]["properties"])
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
    ((_, line),) = (row for row in rows[""] if "task" in row[0])
    assert all(f"`{task}`" in line for task in KEYS["task"]["enum"])
    ((_, line),) = rows["methods"]
    assert re.findall(r"`(\w+)`", line.split(";")[0])[1:] == METHODS


def test_every_key_of_config_yaml_is_in_the_readme():
    table = (ROOT / "config/README.md").read_text().split("| key | meaning |\n| --- | --- |\n")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(load_schema("config")["properties"])
