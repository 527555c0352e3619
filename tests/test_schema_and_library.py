"""The configuration and the library speak of the same methods, models, data sets and projections."""

import inspect
import re
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from trakway import plan
from trakway.attribution.material import Material
from trakway.attribution.scoring import score_function
from trakway.attribution.values import Features
from trakway.config import load_experiment
from trakway.config.schemas import load_schema
from trakway.data.preparation import DEFAULTS, SOURCES
from trakway.figures.ablation import VALUES
from trakway.models import build_model
from trakway.plan.datasets import dataset_of
from trakway.plan.loading import load
from trakway.plan.modalities import modalities, modality_of
from trakway.plan.options import FIXED
from trakway.plan.places import builtin
from trakway.projection.build import build_projection
from trakway.tasks.build import build_task

ROOT = Path(__file__).parents[1]
SCHEMA = load_schema("experiment")
KEYS = SCHEMA["properties"]
METHODS = list(plan.library_methods())
OF_ITEMS = {"at", "start"}  # options that no section gives: a method's item does
EXAMPLES = {
    "image_classification": "fashion_resnet",
    "image_diffusion": "digits_ddpm",
    "latent_diffusion": "fashion_ldm",
    "text_classification": "reviews_bert",
}
"""Of each task a small one."""


def values(section, key):
    node = KEYS[section]["properties"][key]
    return node.get("enum") or node["items"]["enum"]


@pytest.mark.parametrize(("name", "example"), EXAMPLES.items())
def test_methods_by_default_are_those_of_the_task(name, example, tmp_path):
    """Null in the schema, and a list of names once an experiment is read."""
    assert KEYS["methods"]["default"] is None
    written = yaml.safe_load((ROOT / f"config/experiments/{example}.yaml").read_text())
    for part in (written, *written["tiers"].values()):
        part.pop("methods", None)
    path = tmp_path / f"{example}.yaml"
    path.write_text(yaml.safe_dump(written))
    default = plan.default_methods(plan.modalities()[name])
    assert load_experiment(path, "smoke")["methods"] == default
    assert set(default) <= set(plan.allowed_methods(plan.modalities()[name])) <= set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_what_the_plan_reads_in_its_file(chosen, name):
    """Its declaration, and options with their defaults, which are those of the schema or a choice among them."""
    score = score_function(chosen(name))
    material, out, *options = inspect.signature(score).parameters.values()
    assert (material.name, out.name) == ("material", "out")
    assert {option.name: option.default for option in options} == chosen(name).options
    assert all(option.kind is inspect.Parameter.KEYWORD_ONLY for option in options)
    assert chosen(name).method == inspect.getmodule(score).METHOD
    assert {option.name for option in options} <= set(KEYS["scores"]["properties"]) | OF_ITEMS


def test_every_option_is_some_methods(chosen):
    options = {option for name in METHODS for option in chosen(name).options}
    assert options == set(KEYS["scores"]["properties"]) | OF_ITEMS


@pytest.mark.parametrize("average", values("scores", "average"))
def test_averages(chosen, average):
    features = Features(*(torch.randn(size, 2).numpy() for size in (5, 1)), torch.rand(5).numpy())
    out = torch.empty(1, 5).numpy()
    score_function(chosen("trak"))(Material(0, 5, 1, features=[features]), out, ridge=0.1, average=average)


@pytest.mark.parametrize("name", plan.modalities()["image_classification"].models)
def test_models_build(name):
    with torch.device("meta"):
        model = build_model({"name": name, "widths": None}, (1, 28, 28), 7)
    assert list(model.parameters())[-1].shape[0] == 7


def test_sections_with_options_of_their_own():
    for room, keys in FIXED.items():
        assert tuple(KEYS[room]["properties"]) == keys
        assert KEYS[room]["properties"]["name"]["names"] == room
    assert KEYS["task"]["names"] == "task"


def test_sources_of_data_sets():
    assert values("dataset", "source") == list(SOURCES)


@pytest.mark.parametrize("name", ["digits", "fashion_mnist"])
def test_what_the_checks_know_of_a_data_set(name):
    source, known = load("dataset", name)(DEFAULTS | {"source": "packed"}), dataset_of({"dataset": {"name": name}})
    assert source.train.examples.shape(None)[1:] == (known.side, known.side)
    for split in ("train", "test"):
        size, number = getattr(known, f"{split}_size"), len(getattr(source, split).labels)
        # Of a set that is elsewhere as a whole, a part is packed.
        assert number <= size if known.remote else size in (None, number)


@pytest.mark.parametrize("kind", values("projection", "kind"))
def test_projections_build(kind):
    projection = {"kind": kind, "dim": None if kind == "identity" else 4, "nonzeros": 1}
    built = build_projection(projection, 10, 0, 0, [(2, 4), (2,)])
    assert built(torch.ones(3, 10)).shape == (3, 10 if kind == "identity" else 4)
    assert set(values("ablation", "projection")) == set(values("projection", "kind"))
    assert kind in VALUES


@pytest.mark.parametrize(("name", "example"), EXAMPLES.items())
def test_tasks_build_from_the_settings_of_an_experiment(
    name, example, prepared, sentences, captioned, tiny_bert, tmp_path
):
    settings = load_experiment(ROOT / f"config/experiments/{example}.yaml", "smoke")
    assert settings["task"] == name
    data, size, modality = prepared, 40, modality_of(settings)
    if modality.encodes:
        folder, size, key = {
            "texts": (sentences, 24, "pretrained"),
            "captioned": (captioned, 16, "text_encoder"),
        }[modality.data]
        data = shutil.copytree(folder, tmp_path / "data")
        settings["model"][key] = str(tiny_bert)
        first = [build_model(settings["autoencoder"]["model"], (1, 16, 16), 0)] if modality.autoencoder else []
        load("task", name).encode(settings, data, "cpu", *first)
    assert build_task(settings, data).train_size == size


def test_every_task_has_an_example():
    parts = {part for modality in modalities().values() for part in (modality.autoencoder, modality.domain) if part}
    assert {*EXAMPLES, *parts} == set(builtin("task"))


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
    for part in ("evaluation", "fixed", "estimation"):
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
    assert all(f"`{task}`" in line for task in builtin("task"))
    for section in ("model", "dataset"):
        ((_, line),) = (row for row in rows[section] if row[0] == ["name"])
        assert all(f"`{name}`" in line for name in builtin(section))
    ((_, line),) = rows["methods"]
    assert sorted(re.findall(r"`(\w+)`", line.split(";")[0])[1:]) == sorted(METHODS)


def test_every_key_of_config_yaml_is_in_the_readme():
    table = (ROOT / "config/README.md").read_text().split("| key | meaning |\n| --- | --- |\n")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(load_schema("config")["properties"])
