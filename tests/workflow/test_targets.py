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
TIERS = experiment_tiers(EXPERIMENTS)
CLASSIFICATION, DIFFUSION = "fashion_resnet", "digits_ddpm"


def names(experiment: str) -> list[str]:
    return [experiment + end for end in ("", "_lds", "_removal", "_ablation", "_orders", "_publish", "_explorer")]


def planned(printed: str) -> dict[str, int]:
    """Return the number of jobs of each rule in Snakemake's table."""
    table = re.search(r"^Job stats:\n.*\n[- ]+\n(.*?)^total ", printed, re.MULTILINE | re.DOTALL)
    return {rule: int(count) for rule, count in (line.split() for line in table[1].splitlines())}


def settings_of(experiment: str, tier: str) -> dict:
    return load_experiment(EXPERIMENTS / f"{experiment}.yaml", tier)


def shards(settings: dict) -> dict[str, int]:
    """Return the number of jobs that train each ensemble."""
    execution = settings["execution"]
    size = {"members": execution["members_per_job"]}
    return {
        ensemble: len(plan.shards(subsets * seeds, size.get(ensemble, execution["models_per_job"])))
        for ensemble, (subsets, seeds) in plan.ensemble_sizes(settings).items()
    }


def feature_jobs(settings: dict) -> tuple[int, int]:
    """Return how many jobs compute features of training examples and of targets: for the methods and the ablation."""
    last = settings["training"]["checkpoints"] - 1
    own = plan.projection_name(settings["projection"])
    kinds = {(name, "output", last) for name in plan.projections(settings)}
    kinds |= {(own, "output", last - back) for back in range(max(settings["ablation"]["checkpoints"]))}
    reads = {name for chosen in plan.methods_of(settings).values() for name in chosen.method.reads}
    kinds |= {(own, "output", c) for c in range(last + 1) if "checkpoints" in reads}
    kinds |= {(own, "norm", last)} if "norm" in reads else set()
    windows = settings["journey"]["timesteps"] if "windows" in reads else []
    members = shards(settings)["members"]
    return (len(kinds) + len(windows)) * members, len(kinds) * members


def trainings(jobs: dict[str, int]) -> int:
    """Return how many jobs train; what is trained on all examples has a rule of its own."""
    return jobs["train"] + jobs.get("train_alone", 0)


def test_targets_are_listed(tree):
    listed = tree.done("--list-target-rules").split()
    expected = [target for name in TIERS for target in names(name)]
    assert {"all", "smoke", *expected} <= set(listed)


@pytest.mark.parametrize("tier", ["smoke", "demo", "validated", "paper"])
def test_every_target_at_every_tier(tree, tier):
    experiments = [name for name, tiers in TIERS.items() if tier in tiers]
    targets = ["all", *(target for experiment in experiments for target in names(experiment))]
    printed = tree.done("--dry-run", "--printshellcmds", "--config", f"tier={tier}", "--", *targets)
    commands = re.findall(r"^Shell command: (.*)", printed, re.MULTILINE)
    assert len(commands) > 30
    assert max(map(len, commands)) < 16_000
    jobs = planned(printed)
    settings = [settings_of(experiment, tier) for experiment in experiments]
    diffusion = [s for s in settings if plan.modality_of(s).has(needs=("steps",))]
    assert trainings(jobs) == sum(sum(shards(s).values()) for s in settings)
    assert jobs["outputs"] == trainings(jobs)
    assert jobs["explorer"] == len(settings)
    of_examples, of_targets = zip(*map(feature_jobs, settings), strict=True)
    assert (jobs["train_features"], jobs["target_features"]) == (sum(of_examples), sum(of_targets))
    assert jobs["scores"] == sum(len(s["methods"]) for s in settings)
    reads = [{name for chosen in plan.methods_of(s).values() for name in chosen.method.reads} for s in settings]
    exact = [s for s, names in zip(settings, reads, strict=True) if "metagradients" in names]
    assert jobs.get("preflight", 0) == len(exact)
    assert jobs.get("metagradients", 0) == sum(len(s["metagradient"]["at"]) * s["metagradient"]["runs"] for s in exact)
    curved = [s for s, names in zip(settings, reads, strict=True) for kind in ("ekfac", "ekfac_cg") if kind in names]
    assert jobs.get("influences", 0) == sum(s["curvature"]["members"] for s in curved)
    assert jobs["completions"] == sum(shards(s).get(ensemble, 0) for s in diffusion for ensemble in plan.COMPLETING)
    assert sum(count for rule, count in jobs.items() if rule.startswith("sample_targets")) == len(diffusion)
    for rule in ("shift", "emergence", "timestep_correlation", "figure_animation"):
        assert jobs[rule] == len(diffusion)
    texts = [s for s in settings if s["task"] == "text_classification"]
    captioned = [s for s in settings if plan.modality_of(s).has(needs=("caption",))]
    for rule in ("captions", "caption_exchange", "figure_captions"):
        assert jobs.get(rule, 0) == len(captioned)
    assert jobs.get("encode", 0) == len(texts) + len(captioned)
    assert jobs.get("draw_targets", 0) == len(settings) - len(diffusion)
    assert jobs.get("figure_examples", 0) == len(settings) - len(diffusion) - len(texts)
    assert jobs.get("figure_localisation", 0) == sum(bool(s["journey"]["patches"]) for s in diffusion)
    assert all(jobs[target] == 1 for target in targets)


def test_an_experiment_without_the_tier_is_built_at_its_own(tree):
    jobs = planned(tree.done("--dry-run", "--", "fashion_ddpm"))
    assert trainings(jobs) == sum(shards(settings_of("fashion_ddpm", "validated")).values())


def test_smoke_is_everything_once_and_all_is_the_default(tree):
    jobs = planned(tree.done("--dry-run", "smoke"))
    both = {"lds", "cost", "removal", "ablation", "provenance"}
    assert {jobs[rule] for rule in both} == {4}
    assert {jobs[rule] for rule in ("figure_examples", "figure_captions")} == {1}
    assert {jobs[rule] for rule in ("encode", "shift", "emergence", "figure_localisation")} == {2}
    default = planned(tree.done("--dry-run", "--config", f"experiments={CLASSIFICATION}"))
    assert default.pop("all") == 1
    assert default["train"] == sum(shards(settings_of(CLASSIFICATION, "demo")).values())
    assert "ablation" not in default


REST = {"ablation", "provenance"}
PARTS = [
    (CLASSIFICATION, "_lds", {"lds", "cost", "figure_lds", "figure_cost"}, {"removal", "removal_subsets", *REST}),
    (CLASSIFICATION, "_removal", {"removal", "figure_removal"}, {"lds", "cost", *REST}),
    (
        CLASSIFICATION,
        "_ablation",
        {"ablation", "figure_ablation"},
        {"lds", "cost", "removal", "removal_subsets", "provenance"},
    ),
    (
        DIFFUSION,
        "_lds",
        {"lds", "cost", "figure_lds_timesteps", "figure_cost", "sample_targets_image_diffusion"},
        {"removal_subsets", "completions", "shift", "emergence", "figure_journeys", *REST},
    ),
    (
        DIFFUSION,
        "_removal",
        {"shift", "figure_shift", "completions", "removal_subsets"},
        {"lds", "cost", "emergence", "removal", *REST},
    ),
    (
        DIFFUSION,
        "_ablation",
        {"ablation", "figure_ablation"},
        {"lds", "cost", "shift", "completions", "removal_subsets", "representations", "provenance"},
    ),
]


@pytest.mark.parametrize(("name", "end", "with_", "without"), PARTS, ids=[name + end for name, end, *_ in PARTS])
def test_a_part_needs_no_other_part(tree, name, end, with_, without):
    jobs = planned(tree.done("--dry-run", "--config", "tier=smoke", "--", name + end)).keys()
    assert with_ <= jobs
    assert not without & jobs


def test_slurm_profile(tree):
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("needs the extra `slurm`")
    assert planned(tree.done("--workflow-profile", "slurm", "--dry-run", "smoke"))["smoke"] == 1


def test_a_missing_image_is_told_at_once(tree):
    result = tree.snakemake("--dry-run", "--sdm", "apptainer", "--config", "container=no.sif", "--", "smoke")
    assert result.returncode == 1
    assert "container: found no image no.sif; allowed: the path of one" in result.stdout
    assert "apptainer build no.sif envs/trakway.def" in result.stdout


WORK = {
    *("prepare_data", "encode", "check_task", "train", "outputs", "completions", "caption_samples"),
    *("preconditioner", "train_features", "target_features", "representations", "preflight", "metagradients"),
    *("influences", "scores", "cost", "ablation", "data.smk"),  # there, without a name of its own: sample_targets_TASK
}


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
    queued = set()
    for path in sorted((REPOSITORY / "workflow/rules").glob("*.smk")):
        for rule in re.split(r"^ *rule\b ?", path.read_text(), flags=re.MULTILINE)[1:]:
            name, body = rule.split(":", 1)
            if "shell:" not in body:
                continue  # a mere target
            for directive in ("log", "conda", "threads", "resources"):
                assert re.search(rf"\n +{directive}:", body), f"{path.name}: {name} has no {directive}"
            for resource in ("mem_mb=", "runtime="):
                assert resource in body, f"{path.name}: {name} has no {resource}"
            assert ("--device" in body) == ("gpu=GPU" in body), f"{path.name}: {name}: a device, and no gpu to claim"
            # Jobs of seconds stay where the run was started, which may be a login node without a GPU.
            if "localrule: True" not in body:
                queued.add(name or path.name)
            else:
                assert "--device" not in body, f"{path.name}: {name} computes, and does not go through the queue"
    assert queued == WORK


def test_every_path_on_a_command_line_is_quoted():
    """Folders may have spaces in their names."""
    for path in sorted((REPOSITORY / "workflow/rules").glob("*.smk")):
        text = path.read_text()
        shells = re.findall(r"^    shell:\n((?:        .*\n)+)", text, re.MULTILINE)
        found = [word for shell in shells for word in re.findall(r"\{(?:input|output|log)\b[^}]*\}", shell)]
        assert found or not shells
        assert all(word.endswith(":q}") for word in found), path
        assert not re.findall(r"(?<!\")\$\(", "".join(shells)), path


def test_every_script_is_a_rule():
    text = "".join(path.read_text() for path in (REPOSITORY / "workflow/rules").glob("*.smk"))
    rules = set(re.findall(r"^rule (\w+):", text, re.MULTILINE))
    several = {"figure", "table", "features", "sample_targets"}  # scripts of several rules
    called = re.findall(r'python "\$TRAKWAY_SCRIPTS/(\w+)\.py"', text)
    scripts = {path.stem for path in (REPOSITORY / "scripts").glob("*.py") if not path.stem.startswith("pack_")}
    scripts -= {"run", "plan", "clean_stale"}  # which people call
    assert set(called) == scripts
    assert scripts - several <= rules


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
