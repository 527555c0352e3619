import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from trakway.config import experiment_tiers, load_config, load_experiment, load_experiments
from trakway.errors import UserError
from trakway.plan import default_methods, modalities

ROOT = Path(__file__).parents[2]
EXPERIMENTS = ROOT / "config" / "experiments"
SHIPPED = [(name, tier) for name, tiers in experiment_tiers(EXPERIMENTS).items() for tier in tiers]


def lines_of(path, tier="demo"):
    with pytest.raises(UserError) as caught:
        load_experiment(path, tier)
    return str(caught.value).splitlines()


# (changes, tier-prefixed key, found, allowed, words of advice)
WRONG = {
    "unknown section": ({"projecton": {"dim": 3}}, "projecton", 'value {"dim": 3}', "projection", '"projection"?'),
    "unknown key": ({"training": {"epoch": 3}}, "training.epoch", "an unknown key", "epochs", '"epochs"?'),
    "unknown deep key": (
        {"bank": {"evaluation": {"sets": 3}}},
        "bank.evaluation.sets",
        "an unknown key",
        "subsets, seeds",
        '"subsets"?',
    ),
    "no near name": ({"qqq": 1}, "qqq", "an unknown key", "dataset", "Rename or remove"),
    "text for a number": ({"training": {"epochs": "8"}}, "training.epochs", '"8"', ">= 1", "without quotes"),
    "float for an integer": ({"training": {"epochs": 8.0}}, "training.epochs", "8.0", "a whole number", "Write 8."),
    "half an epoch": ({"training": {"epochs": 8.5}}, "training.epochs", "8.5", "a whole number", "default, 8"),
    "half a step": ({"training": {"steps": 8.5}}, "training.steps", "8.5", "a whole number >= 1, or null", "whatever"),
    "average over nothing": ({"training": {"ema": 1}}, "training.ema", "1", "> 0 and < 1, or null", "moving average"),
    "unknown optimizer": ({"training": {"optimizer": "adam"}}, "training.optimizer", '"adam"', "sgd, adamw", "adamw"),
    "unknown schedule": (
        {"diffusion": {"schedule": "cosine"}},
        "diffusion.schedule",
        '"cosine"',
        "linear, squaredcos_cap_v2",
        "noise",
    ),
    "a step twice": (
        {"journey": {"timesteps": [300, 300]}},
        "journey.timesteps",
        "[300, 300]",
        "without repeats",
        "trajectory",
    ),
    "step 0": ({"journey": {"timesteps": [0]}}, "journey.timesteps[0]", "0", "a whole number >= 1", "Change"),
    "a box of three": (
        {"journey": {"patches": [{"name": "a", "timestep": 300, "box": [0, 0, 4]}]}},
        "journey.patches[0].box",
        "[0, 0, 4]",
        "a list of 4, each a whole number >= 0",
        "pixels",
    ),
    "a patch without a name": (
        {"journey": {"patches": [{"name": "", "timestep": 300, "box": [0, 0, 4, 4]}]}},
        "journey.patches[0].name",
        '""',
        "text of the form ^[A-Za-z0-9_-]+$",
        "tables",
    ),
    "half a patch": (
        {"journey": {"patches": [{"name": "a", "timestep": 300}]}},
        "journey.patches[0].box",
        "nothing",
        "a list of 4",
        "Add this key",
    ),
    "unknown model of the domain": (
        {"domain": {"model": {"name": "resnet"}}},
        "domain.model.name",
        '"resnet"',
        "resnet9",
        '"resnet9"?',
    ),
    "text for a domain": ({"domain": "resnet9"}, "domain", '"resnet9"', "keys among model, training, or null", "null"),
    "true for an integer": (
        {"members": {"count": True}},
        "members.count",
        "true",
        "a whole number >= 1",
        "member models",
    ),
    "false for a number": ({"training": {"momentum": False}}, "training.momentum", "false", ">= 0 and < 1", "Change"),
    "number for a boolean": ({"scores": {"weights": 1}}, "scores.weights", "1", "true or false", "Change"),
    "number for a pairing": ({"training": {"paired": 1}}, "training.paired", "1", "true or false", "share seeds"),
    "number for text": ({"dataset": {"path": 5}}, "dataset.path", "5", "text, or null", "quotes"),
    "list for a section": ({"training": [8]}, "training", "[8]", "a mapping with keys among optimizer", "Change"),
    "empty section": ({"training": None}, "training", "null", "a mapping", "Change"),
    "value for a list": ({"methods": "trak"}, "methods", '"trak"', "a list of at least 1", "Change"),
    "number for methods": ({"methods": 5}, "methods", "5", "a list of at least 1", "Change"),
    "number for a method": ({"methods": ["trak", 5]}, "methods[1]", "5", "", "Change"),
    "unknown model": ({"model": {"name": "ResNet-9"}}, "model.name", '"ResNet-9"', "resnet9", '"resnet9"?'),
    "unknown data": ({"dataset": {"name": "cifar"}}, "dataset.name", '"cifar"', "cifar10", '"cifar10"?'),
    "unknown task": ({"task": "images"}, "task", '"images"', "image_classification", "Change"),
    "unknown average": ({"scores": {"average": "papr"}}, "scores.average", '"papr"', "paper, joint", '"paper"?'),
    "dim 0": ({"projection": {"dim": 0}}, "projection.dim", "0", "a whole number >= 1", "Features"),
    "dim negative": ({"projection": {"dim": -4}}, "projection.dim", "-4", "a whole number >= 1", "Features"),
    "fraction 0": ({"members": {"fraction": 0}}, "members.fraction", "0", "> 0 and < 1", "Share"),
    "fraction 1": ({"members": {"fraction": 1}}, "members.fraction", "1", "> 0 and < 1", "Share"),
    "fraction over 1": ({"bank": {"fraction": 1.5}}, "bank.fraction", "1.5", "> 0 and < 1", "Share"),
    "fraction negative": ({"bank": {"fraction": -0.5}}, "bank.fraction", "-0.5", "> 0 and < 1", "Share"),
    "fraction nan": ({"bank": {"fraction": float("nan")}}, "bank.fraction", "NaN", "> 0 and < 1", "Share"),
    "rate infinite": (
        {"training": {"learning_rate": float("inf")}},
        "training.learning_rate",
        "Infinity",
        "> 0",
        "peak",
    ),
    "members 0": ({"members": {"count": 0}}, "members.count", "0", "a whole number >= 1", "Number of member models"),
    "one subset": (
        {"bank": {"evaluation": {"subsets": 1}}},
        "bank.evaluation.subsets",
        "1",
        "a whole number >= 2",
        "Spearman correlation over subsets",
    ),
    "no ridge": ({"scores": {"ridge": []}}, "scores.ridge", "[]", "a list of at least 1", "Candidates"),
    "ridge negative": ({"scores": {"ridge": [1, -1]}}, "scores.ridge[1]", "-1", "a number >= 0", "Change"),
    "ridge twice": ({"scores": {"ridge": [1, 1.0]}}, "scores.ridge", "[1, 1.0]", "without repeats", "Candidates"),
    "removal of all": ({"removal": {"fractions": [1]}}, "removal.fractions[0]", "1", "> 0 and < 1", "Change"),
    "one class": ({"dataset": {"classes": ["coat"]}}, "dataset.classes", '["coat"]', "at least 2", "a margin compares"),
    "a class twice": (
        {"dataset": {"classes": ["a", "a"]}},
        "dataset.classes",
        '["a", "a"]',
        "without repeats",
        "classes",
    ),
    "class by number": ({"dataset": {"classes": ["a", 3]}}, "dataset.classes[1]", "3", "text", "quotes"),
}
PLACES = [(name, where) for name in WRONG for where in ("", "tiers.demo", "tiers.paper")]


@pytest.mark.parametrize(("name", "where"), [place for place in PLACES if place[0] != "unknown task" or not place[1]])
def test_each_wrong_value_is_told_wherever_it_stands(write, name, where):
    changes, key, found, allowed, advice = WRONG[name]
    path = write({"tiers": {where.split(".")[1]: changes}} if where else changes)
    (line,) = lines_of(path)  # at the tier demo, so tiers.paper is found without being used
    assert line.startswith(f"{path}: {where}{'.' * bool(where)}{key}: found ")
    told, rest = line.split("; allowed: ", 1)
    assert found in told
    assert allowed in rest.split(". ")[0]
    if where == "" or "default" not in advice:
        assert advice in rest


@pytest.mark.parametrize("key", ["name", "description", "task", "tiers"])
def test_a_tier_cannot_change_what_the_experiment_is(write, key):
    path = write({"tiers": {"paper": {key: {} if key == "tiers" else "image_classification"}}})
    (line,) = lines_of(path)
    assert line.startswith(f"{path}: tiers.paper.{key}: found an unknown key")


@pytest.mark.parametrize("key", ["dataset.name", "model.name", "name", "task"])
def test_required_keys(write, good, key):
    *section, last = key.split(".")
    del (good[section[0]] if section else good)[last]
    path = write(yaml.safe_dump(good))
    (line,) = lines_of(path)
    assert line.startswith(f"{path}: {key}: found nothing; allowed: ")
    assert line.endswith("Add this key.")


def test_a_required_key_may_come_from_the_tier(write, good):
    del good["model"]
    good["tiers"]["demo"]["model"] = {"name": "resnet9"}
    path = write(yaml.safe_dump(good))
    assert load_experiment(path, "demo")["model"]["name"] == "resnet9"
    assert [line.split(": ")[1] for line in lines_of(path, "paper")] == ["model.name"]


def test_every_error_is_told_at_once(write):
    changes = {
        "projecton": {},
        "members": {"count": 0, "fraction": 2},
        "methods": [5, 6],
        "tiers": {"demo": {"training": {"epochs": "x"}}, "paper": {"training": {"epoch": 3}}, "papre": {}},
    }
    keys = [line.split(": ")[1] for line in lines_of(write(changes))]
    assert sorted(keys) == sorted(
        [
            "projecton",
            "members.count",
            "members.fraction",
            "methods[0]",
            "methods[1]",
            "tiers.demo.training.epochs",
            "tiers.paper.training.epoch",
            "tiers.papre",
        ]
    )


def test_unknown_tier_lists_those_of_the_experiment(write):
    path = write()
    (line,) = lines_of(path, "papr")
    assert line.startswith(f'{path}: tiers: found no tier "papr"; allowed: the tiers of this experiment: demo, paper.')
    assert 'Did you mean "paper"?' in line


@pytest.mark.parametrize("tiers", [None, [], {}, "demo", {"demo": None}, {"demo": 3}])
def test_unusable_tiers(write, good, tiers):
    good["tiers"] = tiers
    path = write(yaml.safe_dump(good))
    lines = lines_of(path)
    assert all(line.startswith(f"{path}: tiers") for line in lines)
    assert any("allowed: a mapping" in line for line in lines)


def test_no_tiers_at_all(write, good):
    del good["tiers"]
    assert ["none yet" in line for line in lines_of(write(yaml.safe_dump(good)))] == [True]


@pytest.mark.parametrize(
    ("stem", "name", "words"),
    [
        ("mine", "yours", ['found "yours"', 'the file\'s name, "mine"', "yours.yaml"]),
        ("my-data", "my-data", ["a Python identifier", "letters, digits and _"]),
        ("2fast", "2fast", ["a Python identifier"]),
        ("naïve", "naïve", ["a Python identifier"]),
        ("lambda", "lambda", ["no keyword"]),
        ("all", "all", ["none of all, smoke"]),
        ("mine_lds", "mine_lds", ["no name ending in _lds"]),
    ],
)
def test_the_name_is_the_stem_and_can_be_a_rule(write, stem, name, words):
    path = write({"name": name}, f"{stem}.yaml")
    (line,) = lines_of(path)
    assert line.startswith(f"{path}: name: found ")
    assert all(word in line for word in words)


def test_the_tier_is_laid_over_the_rest_and_defaults_fill_what_is_left(write):
    path = write(
        {
            "scores": {"ridge": [1, 2]},
            "training": {"learning_rate": 1},
            "tiers": {"demo": {"scores": {"ridge": [3]}, "training": {"epochs": 6}}},
        }
    )
    settings = load_experiment(path, "demo")
    assert "tiers" not in settings
    assert settings["scores"] == {
        "ridge": [3.0],
        "damping": [0.001, 0.01, 0.1, 1.0, 10.0, 100.0],
        "soft_threshold": [0.0],
        "weights": True,
        "average": "paper",
    }
    assert settings["training"]["epochs"] == 6
    assert settings["training"]["batch_size"] == 20
    assert settings["training"]["precision"] == "auto"
    assert settings["model"]["widths"] == [16, 32, 64]
    assert settings["bank"] == {
        "fraction": 0.5,
        "evaluation": {"subsets": 50, "seeds": 3},
        "fixed": None,
        "estimation": {"subsets": 100, "seeds": 1},
    }
    assert isinstance(settings["training"]["learning_rate"], float)


def test_defaults_depend_on_what_is_given(write, write_diffusion):
    plain = load_experiment(write(), "demo")
    path = write_diffusion({"tiers": {"demo": {"domain": {"training": {"steps": 40}}}}})
    settings = load_experiment(path, "demo")
    assert (plain["training"]["epochs"], plain["training"]["steps"]) == (4, None)
    assert (settings["domain"]["training"]["epochs"], settings["domain"]["training"]["steps"]) == (None, 40)
    assert load_experiment(path, "paper")["domain"]["training"]["epochs"] == 8
    assert settings["domain"]["model"]["widths"] == [16, 32, 64]
    assert settings["methods"] == default_methods(modalities()["image_diffusion"])
    assert plain["methods"] == default_methods(modalities()["image_classification"])
    assert list(settings["domain"]["training"]) == list(settings["training"])
    assert plain["domain"] is None


def test_models_are_paired_only_where_a_file_says_so(write, write_diffusion):
    assert load_experiment(write(), "demo")["training"]["paired"] is False
    changes = {"training": {"paired": True}, "tiers": {"demo": {"domain": {"training": {"paired": True}}}}}
    settings = load_experiment(write_diffusion(changes), "demo")
    assert settings["training"]["paired"] is settings["domain"]["training"]["paired"] is True
    assert load_experiment(write_diffusion(changes), "paper")["domain"]["training"]["paired"] is False


def test_shipped_diffusion_models_are_paired():
    """Their outputs differ more between seeds than between subsets."""
    for name, tier in SHIPPED:
        settings = load_experiment(EXPERIMENTS / f"{name}.yaml", tier)
        assert settings["training"]["paired"] == settings["task"].endswith("_diffusion"), name


def test_a_domain_that_only_a_tier_has(write_diffusion):
    tier = {"domain": {"model": {"name": "resnet9"}, "training": {"batch_size": 20}}}
    path = write_diffusion({"domain": None, "dataset": {"train_size": 40}, "tiers": {"demo": tier}})
    assert load_experiment(path, "demo")["domain"]["training"]["batch_size"] == 20
    assert [line.split(": ")[1] for line in lines_of(path, "paper")] == ["domain"]
    del tier["domain"]["training"]
    path = write_diffusion({"domain": None, "dataset": {"train_size": 40}, "tiers": {"demo": tier}})
    (line,) = lines_of(path)
    assert line.startswith(
        f"{path}: domain.training.batch_size: found 50 (the default) at the tier demo; allowed: at most dataset.train"
    )


@pytest.mark.parametrize("tier", ["", "demo", "paper"])
def test_unknown_keys_of_the_domain_and_of_patches(write_diffusion, tier):
    patch = {"name": "a", "timestep": 300, "box": [0, 0, 4, 4], "bax": 1}
    changes = {"domain": {"training": {"epoch": 3}}, "journey": {"patches": [patch]}}
    domain, patches = lines_of(write_diffusion({"tiers": {tier: changes}} if tier else changes))
    where = f"tiers.{tier}." if tier else ""
    assert f": {where}domain.training.epoch: found an unknown key" in domain
    assert 'Did you mean "epochs"?' in domain
    assert f": {where}journey.patches[0].bax: found an unknown key" in patches
    assert "allowed: name, timestep, box." in patches


@pytest.mark.parametrize("part", [{}, {"model": {}}, {"training": {"epochs": 3}}])
def test_a_domain_needs_a_model(write_diffusion, part):
    path = write_diffusion({"domain": None, "tiers": {"demo": {"domain": part}}})
    (line,) = lines_of(path)
    assert line.startswith(f"{path}: domain.model.name: found nothing; allowed: one of autoencoder, resnet18")


def test_settings_print_the_same_however_they_are_written(write, good):
    good |= {"scores": {"ridge": [0, 1]}, "projection": {"kind": "sjlt", "dim": 8}, "ablation": {"dim": [8]}}
    one = repr(load_experiment(write(yaml.safe_dump(good)), "demo"))
    shuffled = {key: good[key] for key in reversed(good)} | {"scores": {"weights": True, "ridge": [0.0, 1.0]}}
    other = repr(load_experiment(write(yaml.safe_dump(shuffled, sort_keys=False)), "demo"))
    assert one == other


# --- folders of experiments


def test_experiments_without_the_tier_are_left_out(write, tmp_path):
    write({}, "mine.yaml")
    write(
        yaml.safe_dump(yaml.safe_load(write({"name": "big"}, "big.yaml").read_text()) | {"tiers": {"paper": {}}}),
        "big.yaml",
    )
    assert list(load_experiments(tmp_path, "demo")) == ["mine"]
    assert list(load_experiments(tmp_path, "paper")) == ["big", "mine"]
    assert experiment_tiers(tmp_path) == {"big": ["paper"], "mine": ["demo", "paper"]}
    assert load_experiments(tmp_path, "paper")["mine"] == load_experiment(tmp_path / "mine.yaml", "paper")
    with pytest.raises(UserError, match=r"big\.yaml: tiers: found no tier \"demo\".*: paper"):
        load_experiments(tmp_path, "demo", names=["mine", "big"])
    with pytest.raises(
        UserError, match='tier: found "smoke", which no experiment has; allowed: big: paper; mine: demo'
    ):
        load_experiments(tmp_path, "smoke")


def test_errors_of_all_files_are_told_but_only_of_those_asked_for(write, tmp_path):
    write({"name": "one", "training": {"epoch": 1}}, "one.yaml")
    write({"name": "two", "tiers": {"paper": {"members": {"count": 0}}}}, "two.yaml")
    write("a: [", "three.yaml")
    write({"name": "four"}, "four.yaml")
    with pytest.raises(UserError) as caught:
        load_experiments(tmp_path, "demo")
    names = [Path(line.split(": ")[0]).name for line in str(caught.value).splitlines()]
    assert sorted(names) == ["one.yaml", "three.yaml", "two.yaml"]
    assert list(load_experiments(tmp_path, "demo", names=["four"])) == ["four"]


def test_unknown_experiment_names_the_nearest(write, tmp_path):
    write({})
    with pytest.raises(UserError) as caught:
        load_experiments(tmp_path, "demo", names=["mien"])
    assert str(caught.value) == (
        f'{tmp_path}: experiments: found "mien"; allowed: mine. Did you mean "mine"? Correct the name or add its file.'
    )


def test_two_files_of_one_name_and_empty_folders(write, tmp_path):
    with pytest.raises(UserError, match="found no experiment"):
        load_experiments(tmp_path, "demo")
    write("half a file: [", ".mine.yaml")  # what an editor may leave
    write({}, "mine.yaml")
    assert list(load_experiments(tmp_path, "demo")) == ["mine"]
    write({}, "mine.yml")
    with pytest.raises(UserError, match=r'mine\.yml: name: found a second experiment "mine" beside .*mine\.yaml'):
        load_experiments(tmp_path, "demo")


@pytest.mark.parametrize(("name", "tier"), SHIPPED)
def test_shipped_experiments_load_at_all_their_tiers(name, tier):
    settings = load_experiment(EXPERIMENTS / f"{name}.yaml", tier)
    assert settings["name"] == name
    assert settings["description"]


def test_what_is_shipped():
    papers = {"cifar10_resnet9", "cifar2_resnet9", "imagenet_resnet18", "cifar10_ddpm", "cifar2_ddpm", "coco_ldm"}
    assert {(name, "paper") for name in papers} <= set(SHIPPED)
    assert {tier for name, tier in SHIPPED if name == "fashion_resnet"} == {"smoke", "demo", "validated", "paper"}
    assert {tier for name, tier in SHIPPED if name == "digits_ddpm"} == {"smoke", "demo", "validated"}
    assert ("fashion_ddpm", "validated") in SHIPPED
    config = load_config(ROOT / "config" / "config.yaml")
    assert "fashion_resnet" in load_experiments(EXPERIMENTS, config["tier"], config["experiments"])


# --- config.yaml


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("tier: demo\nexperiments: [mine]\n")
    return path


DEFAULTS = {"folder": None, "device": "auto", "jobs_per_gpu": 1, "results": "results", "container": None}


def test_overrides_win_and_defaults_fill(config):
    assert load_config(config) == {"tier": "demo", "experiments": ["mine"], **DEFAULTS}
    found = load_config(config, {"tier": "smoke", "experiments": "one, two", "device": "cpu"})
    assert found == {**DEFAULTS, "tier": "smoke", "experiments": ["one", "two"], "device": "cpu"}
    assert load_config(config, {"experiments": "null"})["experiments"] is None
    assert load_config(config, {"experiments": None})["experiments"] is None


def test_results_in_a_home(config):
    assert load_config(config, {"results": "~/mine"})["results"] == str(Path.home() / "mine")


def test_faults_say_whether_the_file_or_the_command_line_is_wrong(config):
    config.write_text("tier: demo\ndevice: gpu\nresutls: here\n")
    with pytest.raises(UserError) as caught:
        load_config(config, {"tier": "papr", "device": "gpu"})
    device, unknown, tier = str(caught.value).splitlines()
    assert device.startswith(f'{config}: device: found "gpu"; allowed: one of auto, cpu, cuda.')
    assert unknown.startswith(f"{config}: resutls: found an unknown key")
    assert 'Did you mean "results"?' in unknown
    assert tier.startswith('--config: tier: found "papr"; allowed: one of smoke, demo, validated, paper.')
    assert 'Did you mean "paper"?' in tier


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        ({"experiments": []}, "experiments"),
        ({"experiments": ["a", "a"]}, "experiments"),
        ({"experiments": "a,,b"}, "experiments[1]"),
        ({"results": ""}, "results"),
        ({"results": "my{results}"}, "results"),
        ({"tier": True}, "tier"),
        ({"teir": "demo"}, "teir"),
    ],
)
def test_wrong_overrides(config, overrides, key):
    with pytest.raises(UserError, match=r"^--config: ") as caught:
        load_config(config, overrides)
    assert f": {key}: found " in str(caught.value)


# --- as a program, and light


def test_command_prints_settings_or_errors(write):
    path = write({"training": {"epoch": 1}})
    command = [sys.executable, "-m", "trakway.config", str(path), "demo"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "src")})
    assert done.returncode == 1
    assert done.stderr.startswith(f"{path}: training.epoch: found an unknown key")
    assert "Traceback" not in done.stderr
    done = subprocess.run(
        [*command[:3], str(write()), "demo"], capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "src")}
    )
    assert yaml.safe_load(done.stdout) == load_experiment(path, "demo")


def test_imports_nothing_heavy():
    code = (
        "import sys, trakway.config; print([m for m in ('torch', 'numpy', 'pandas', 'snakemake') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "src")}
    )
    assert done.stdout.strip() == "[]", done.stderr
