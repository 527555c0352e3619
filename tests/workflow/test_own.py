"""A user's own task, network and data, in a folder outside of the repository, which stays as it is."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```\w+ (\S+)\n(.*?)^```", (REPOSITORY / "docs/extending.md").read_text(), re.M | re.S)
LIBRARY = REPOSITORY / "src/trakway"


class Elsewhere:
    """A folder with spaces in its name, from which the workflow of a clone is run."""

    def __init__(self, tree, folder: Path):
        self.tree = tree
        self.folder = folder
        self.experiments = folder / "my experiments"
        self.experiments.mkdir(parents=True)

    def write(self, name: str, text: str) -> None:
        (self.experiments / name).write_text(text)

    def run(self, *words: str) -> subprocess.CompletedProcess:
        places = ("-s", str(self.tree.folder / "Snakefile"), "--directory", str(self.folder))
        config = ("tier=smoke", "folder=my experiments", "results=my results")
        options = [word for word in words if word.startswith("--")]
        targets = [word for word in words if word not in options]
        return self.tree.snakemake(*places, *options, "--config", *config, "--", *targets)

    def done(self, *words: str) -> str:
        result = self.run(*words)
        assert result.returncode == 0, result.stdout[-5000:]
        return result.stdout

    def results(self, name: str) -> Path:
        return self.folder / "my results/smoke" / name

    def untouched(self) -> bool:
        status = subprocess.run(
            ["git", "-C", str(self.tree.folder), "status", "--porcelain"], capture_output=True, text=True
        )
        return status.stdout == "" and not (self.tree.folder / "results").exists()


@pytest.fixture(scope="module")
def elsewhere(tree, tmp_path_factory):
    return Elsewhere(tree, tmp_path_factory.mktemp("else where"))


@pytest.fixture(scope="module")
def documented(elsewhere):
    """The examples of docs/extending.md, word for word."""
    assert {name for name, _ in BLOCKS} >= {"sides.yaml", "sides.py", "network.py", "brier.py"}
    for name, text in BLOCKS:
        elsewhere.write(name, text)
    return elsewhere


SCORES = "my results/smoke/sides/scores/trak.npy"


def test_mistakes_are_told_before_anything_runs(documented):
    for file, wrong, words in (
        ("sides.yaml", ("brier.py:Brier", "brier.py:Bryer"), ["task: ", "brier.py: found no class Bryer", '"Brier"']),
        ("sides.yaml", ("width: 4", "widht: 4"), ["model.widht", "network.py:build: width", '"width"']),
        ("sides.yaml", ("noise: 90", "noise: much"), ["dataset.noise", "much", "a whole number"]),
        ("sides.yaml", ("sides.py:", "slides.py:"), ["dataset.name", "slides.py: cannot be read"]),
        ("network.py", ("def build(", "def build("[:-1]), ["model.name", "network.py, line 6: not valid Python"]),
    ):
        text = (documented.experiments / file).read_text()
        assert wrong[0] in text
        documented.write(file, text.replace(*wrong))
        printed = documented.run(SCORES).stdout
        documented.write(file, text)
        assert all(word in printed for word in ["sides.yaml", *words]), printed
        assert "Traceback" not in printed
    assert not documented.results("sides").exists()


def test_a_task_that_is_wrong_trains_nothing(documented):
    text = (documented.experiments / "brier.py").read_text()
    documented.write("brier.py", text.replace(".square().sum(1)", ".square()"))
    printed = documented.run(SCORES).stdout
    documented.write("brier.py", text)
    assert "class Brier: output: found shape (6, 2) for 6 examples; allowed: a tensor of shape (6,)" in printed
    assert not list(documented.folder.rglob("*.safetensors"))


def test_the_documented_examples_run_from_anywhere(documented):
    documented.done(SCORES)
    scores = np.load(documented.folder / SCORES)
    assert scores.shape == (5, 60)
    assert np.isfinite(scores).all()
    assert scores.std() > 0
    assert documented.untouched()
    assert "Nothing to be done" in documented.done(SCORES)


def test_an_edit_makes_again_what_depends_on_it(documented):
    documented.done(SCORES)
    for file, rule, kept in (("sides.py", "prepare_data", ""), ("network.py", "train", "prepare_data")):
        path = documented.experiments / file
        text = path.read_text()
        path.write_text(text + "\nNEW = 1\n")
        printed = documented.done("--dry-run", SCORES)
        path.write_text(text)
        jobs = set(re.findall(r"^(\w+) +\d+$", printed, re.M))
        assert {rule, "scores"} <= jobs
        assert kept not in jobs


def test_the_config_of_the_working_directory(documented):
    config = documented.folder / "config/config.yaml"
    config.parent.mkdir()
    config.write_text("tier: smoke\nfolder: my experiments\nexperiments: [none]\n")
    printed = documented.tree.snakemake(
        "-s", str(documented.tree.folder / "Snakefile"), "--directory", str(documented.folder), "--dry-run", "sides"
    ).stdout
    config.unlink()
    assert 'my experiments: experiments: found "none"; allowed: sides' in printed


def test_a_dry_run_of_everything(documented):
    assert "shift" not in documented.done("--dry-run", "sides", "sides_ablation")


OWN = {"fashion_resnet": ("image_classification", "resnet_small", "fashion_mnist"),
       "digits_ddpm": ("image_diffusion", "unet", "digits")}  # fmt: skip
MINE = {"fashion_resnet": "trak", "digits_ddpm": "journey_trak"}


@pytest.mark.parametrize("name", OWN)
def test_copies_of_the_built_in_files_give_the_same_scores_to_the_bit(smoke, elsewhere, name):
    """A class that extends the task, a copy of the network's file and a copy of the data set's."""
    task, model, data = OWN[name]
    capitals = "".join(part.capitalize() for part in task.split("_"))
    elsewhere.write(
        f"my_{task}.py",
        f"from trakway.tasks.{task} import {capitals}\n\n\nclass Mine({capitals}):\n    pass\n",
    )
    for room, file in (("models", model), ("data", data)):
        text = (LIBRARY / room / f"{file}.py").read_text()
        elsewhere.write(f"my_{file}.py", text.replace("Path(__file__).parent", f"Path({str(LIBRARY / room)!r})"))
    settings = json.loads(json.dumps(smoke.of(name).settings)) | {"tiers": {"smoke": {}}, "task": f"my_{task}.py:Mine"}
    settings["model"]["name"] = f"my_{model}.py:build"
    settings["dataset"]["name"] = f"my_{data}.py:open_{data}"
    elsewhere.write(f"{name}.yaml", yaml.safe_dump(settings))
    scores = f"scores/{MINE[name]}.npy"
    elsewhere.done(f"my results/smoke/{name}/{scores}")
    assert (elsewhere.results(name) / "checked.json").exists()
    np.testing.assert_array_equal(np.load(elsewhere.results(name) / scores), np.load(smoke.of(name).results / scores))
