"""What can be built, as dry runs: every name, tier and profile; and whether the workflow is well written."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from trakway import plan
from trakway.config import experiment_tiers, load_experiment

REPOSITORY = Path(__file__).parents[2]
EXPERIMENTS = REPOSITORY / "config/experiments"
FULL_SCALE = ("cifar2_resnet9", "cifar10_resnet9", "imagenet_resnet18")
TIERS = ("smoke", "demo", "validated", "paper")
NAME = "fashion_resnet"


def names(experiment: str) -> list[str]:
    return [experiment + end for end in ("", "_lds", "_removal", "_ablation", "_publish")]


def planned(printed: str) -> dict[str, int]:
    """Return the number of jobs of each rule in Snakemake's table."""
    table = re.search(r"^Job stats:\n.*\n[- ]+\n(.*?)^total ", printed, re.MULTILINE | re.DOTALL)
    return {rule: int(count) for rule, count in (line.split() for line in table[1].splitlines())}


def shards(experiment: str, tier: str, stage: str) -> int:
    """Return how many jobs a stage takes, by the settings."""
    s = load_experiment(EXPERIMENTS / f"{experiment}.yaml", tier)
    size = {"members": s["execution"]["members_per_job"]}
    counts = {
        ensemble: len(plan.shards(subsets * seeds, size.get(ensemble, s["execution"]["models_per_job"])))
        for ensemble, (subsets, seeds) in plan.ensemble_sizes(s).items()
    }
    if stage == "train":
        return sum(counts.values())
    # Features: the experiment's own projection at all checkpoints (for TracIn), the ablation's at the last.
    return counts["members"] * (len(plan.projections(s)) - 1 + s["training"]["checkpoints"])


def test_targets_are_listed(tree):
    listed = tree.done("--list-target-rules").split()
    expected = [target for name in experiment_tiers(EXPERIMENTS) for target in names(name)]
    assert {NAME, *FULL_SCALE} <= experiment_tiers(EXPERIMENTS).keys()
    assert {"all", "smoke", *expected} <= set(listed)


@pytest.mark.parametrize("tier", TIERS)
def test_every_target_at_every_tier(tree, tier):
    """The full-scale experiments have the tier `paper` alone."""
    experiments = (NAME, *FULL_SCALE) if tier == "paper" else (NAME,)
    targets = ["all", *(target for experiment in experiments for target in names(experiment))]
    jobs = planned(tree.done("--dry-run", "--config", f"tier={tier}", "--", *targets))
    assert jobs["train"] == sum(shards(experiment, tier, "train") for experiment in experiments)
    assert jobs["features"] == sum(shards(experiment, tier, "features") for experiment in experiments)
    assert all(jobs[target] == 1 for target in targets)


def test_smoke_is_everything_once_and_all_is_the_default(tree):
    jobs = planned(tree.done("--dry-run", "smoke"))
    assert {"lds", "cost", "removal", "ablation", "provenance", "figure_examples"} <= jobs.keys()
    default = planned(tree.done("--dry-run", "--config", f"experiments={NAME}"))
    assert default.pop("all") == 1
    assert default["train"] == shards(NAME, "demo", "train")
    assert "ablation" not in default


@pytest.mark.parametrize(
    ("end", "with_", "without"),
    [
        (
            "_lds",
            {"lds", "cost", "figure_lds", "figure_cost"},
            {"removal", "removal_subsets", "ablation", "provenance"},
        ),
        ("_removal", {"removal", "figure_removal"}, {"lds", "cost", "ablation", "provenance"}),
        ("_ablation", {"ablation", "figure_ablation"}, {"lds", "cost", "removal", "removal_subsets", "provenance"}),
    ],
)
def test_a_part_needs_no_other_part(tree, end, with_, without):
    jobs = planned(tree.done("--dry-run", "--config", "tier=smoke", "--", NAME + end)).keys()
    assert with_ <= jobs
    assert not without & jobs


def test_slurm_profile(tree):
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("needs the extra `slurm`")
    assert planned(tree.done("--workflow-profile", "slurm", "--dry-run", "smoke"))["smoke"] == 1


def test_profiles_only_set_defaults():
    """A profile must not decide what is rebuilt differently, nor name rules."""
    profiles = {
        path.parent.name: yaml.safe_load(path.read_text())
        for path in (REPOSITORY / "workflow/profiles").glob("*/*.yaml")
    }
    assert profiles.keys() == {"default", "slurm"}
    assert len({tuple(profile["rerun-triggers"]) for profile in profiles.values()}) == 1
    assert not {key for profile in profiles.values() for key in profile} & {"set-resources", "set-threads", "config"}


def test_every_rule_says_what_it_needs():
    for path in sorted((REPOSITORY / "workflow/rules").glob("*.smk")):
        for rule in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            name, body = rule.split(":", 1)
            if "shell:" not in body:
                continue  # a mere target
            for directive in ("log", "benchmark", "conda", "threads", "resources"):
                assert f"\n    {directive}:" in body, f"{path.name}: {name} has no {directive}"
            for resource in ("mem_mb=", "runtime="):
                assert resource in body, f"{path.name}: {name} has no {resource}"
            assert ("--device" in body) == ("gpu=GPU" in body), f"{path.name}: {name}: a device, and no gpu to claim"


def test_every_script_is_a_rule():
    text = "".join(path.read_text() for path in (REPOSITORY / "workflow/rules").glob("*.smk"))
    rules = set(re.findall(r"^rule (\w+):", text, re.MULTILINE))
    called = re.findall(r'"python scripts/(\w+)\.py', text)
    scripts = {path.stem for path in (REPOSITORY / "scripts").glob("*.py") if not path.stem.startswith("pack_")}
    assert sorted(called) == sorted(scripts)
    assert scripts <= rules


def test_lint(tree):
    assert "good condition" in tree.done("--lint")


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "workflow"],
    ],
    ids=" ".join,
)
def test_style(command):
    path = Path(sys.executable).with_name(command[0])
    if not path.exists():
        pytest.skip(f"{command[0]} is not installed")
    result = subprocess.run([path, *command[1:]], cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
