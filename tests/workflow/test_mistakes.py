"""Mistakes of users end the run before any model is trained, with words that name file, key and what is allowed."""

import re

import pytest


def fails(tree, *words: str, arguments: tuple[str, ...] = ("smoke",)) -> str:
    """Run, which has to fail with these words and few others, and train nothing."""
    result = tree.snakemake(*arguments)
    assert result.returncode == 1, result.stdout[-5000:]
    for word in words:
        assert word in result.stdout, f"{word!r} is not in: {result.stdout}"
    assert "Traceback" not in result.stdout
    assert len(result.stdout.splitlines()) < 40, result.stdout
    assert not list((tree.folder / "results").glob("*/*/train/*/models/*"))
    return result.stdout


MISTAKES = {
    "unknown key": ({"training": {"epoch": 3}}, ["training.epoch", "epochs"]),
    "unknown section": ({"trainings": {"epochs": 3}}, ["trainings", "training"]),
    "wrong type": ({"training": {"epochs": "three"}}, ["training.epochs", "three", "whole number"]),
    "k = 0": ({"projection": {"dim": 0}}, ["projection.dim", "0", ">= 1"]),
    "k > p for identity": ({"projection": {"kind": "identity", "dim": 10**6}}, ["projection.dim", "null for identity"]),
    "fraction of members": ({"members": {"fraction": 1.5}}, ["members.fraction", "1.5", "< 1"]),
    "fraction of the bank": ({"bank": {"fraction": 0}}, ["bank.fraction", "0", "> 0"]),
    "no members": ({"members": {"count": 0}}, ["members.count", "0", ">= 1"]),
    "unknown method": ({"methods": ["trak", "track"]}, ["methods", "track", "trak"]),
}


@pytest.mark.parametrize(("changes", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_settings(tree, changes, words):
    with tree.edited(changes):
        printed = fails(tree, "config/experiments/fashion_resnet.yaml", *words)
    assert "Jobs:" not in printed


def test_a_tier_that_was_asked_for_is_never_another(tree):
    for target in ("fashion_ddpm", "fashion_ddpm_lds"):
        fails(
            tree,
            "fashion_ddpm.yaml: tiers: found no smoke; allowed: validated",
            arguments=("--config", "tier=smoke", "--", target),
        )


@pytest.mark.parametrize("name", ["train", "lds", "figure_training", "ablation"])
def test_names_of_rules(tree, name):
    path = tree.folder / f"config/experiments/{name}.yaml"
    text = (tree.folder / "config/experiments/fashion_resnet.yaml").read_text()
    path.write_text(text.replace("name: fashion_resnet", f"name: {name}", 1))
    try:
        fails(tree, f"{name}.yaml: name: found {name}, which is a rule of the workflow already; allowed: any other")
    finally:
        path.unlink()


@pytest.mark.parametrize("tiers", ["", "tiers:", "tiers: {}", "tiers: [demo]"])
def test_no_tier(tree, tiers):
    path = tree.folder / "config/experiments/mine.yaml"
    path.write_text(f"name: mine\n{tiers}\n")
    try:
        fails(tree, "mine.yaml: tiers: found", "allowed: a mapping of smoke, demo, validated or paper, one at least")
    finally:
        path.unlink()


DIFFUSION_MISTAKES = {
    "unknown key of the journey": ({"journey": {"timestep": [300]}}, ["journey.timestep", '"timesteps"']),
    "no step of the sampling": ({"journey": {"timesteps": [300, 350]}}, ["journey.timesteps[1]", "350", "100"]),
    "a step that is not attributed": ({"removal": {"timesteps": [400]}}, ["removal.timesteps[0]", "400", "300, 500"]),
    "method of another task": ({"methods": ["journey_trak", "tracin"]}, ["methods: found tracin", "image_diffusion"]),
    "no classifier": ({"domain": None}, ["domain", "null", "model and training"]),
    "epochs and steps": ({"training": {"epochs": 3}}, ["training.steps", "null", "training.epochs = 3"]),
}


@pytest.mark.parametrize(("changes", "words"), DIFFUSION_MISTAKES.values(), ids=DIFFUSION_MISTAKES.keys())
def test_settings_of_diffusion(tree, changes, words):
    with tree.of("digits_ddpm").edited(changes):
        printed = fails(tree, "config/experiments/digits_ddpm.yaml", *words)
    assert "Jobs:" not in printed


def test_checkpoints_that_are_not_there(tree):
    """The log of the job that looks for them says where."""
    digits = tree.of("digits_ddpm")
    with digits.edited({"members": {"count": 1, "checkpoints": ["/nowhere/ddpm"]}, "ablation": {"members": [1]}}):
        fails(
            tree,
            "members.checkpoints",
            "/nowhere/ddpm",
            arguments=("results/smoke/digits_ddpm/train/members/00000-00001.json",),
        )


def test_config(tree):
    result = tree.snakemake("--dry-run", "--config", "tier=smokes", "devise=cpu")
    assert result.returncode == 1
    for word in ("--config", "tier", "smokes", "devise", "device"):
        assert word in result.stdout


def test_a_configfile_is_named(tree, tmp_path):
    (tmp_path / "mine.yaml").write_text("tier: smokes\ndevice: cpu\n")
    file = str(tmp_path / "mine.yaml")
    fails(tree, f'{file}: tier: found "smokes"', arguments=("--dry-run", "--configfile", file))
    words = ("--config: device: found", "cpus")
    fails(tree, *words, arguments=("--dry-run", "--configfile", file, "--config", "tier=smoke", "device=cpus"))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("fashon_resnet", "target: found fashon_resnet; allowed: all, smoke, leaderboard"),
        ("fashion_resnet_ld", "target: found fashion_resnet_ld; allowed: all, smoke"),
        ("results/smoke/fashon_resnet/tables/lds.csv", "tables/lds.csv: found fashon_resnet; allowed: cifar10_ddpm"),
        ("results/smok/fashion_resnet/tables/lds.csv", "tables/lds.csv: found smok; allowed:"),
    ],
)
def test_misspelt_targets(tree, target, words):
    meant = {"fashon_resnet": "fashion_resnet", "fashion_resnet_ld": "fashion_resnet_lds", "smok": "smoke"}
    part = next(part for part in target.split("/") if part in meant)
    fails(tree, words, f'Did you mean "{meant[part]}"?', arguments=("--config", "tier=smoke", "--", target))


def test_missing_data(tree):
    """The log of the job that looks for them says where; no other experiment has begun to train."""
    with tree.edited({"dataset": {"source": "folder", "path": "/nowhere/fashion"}}):
        words = ("prepare_data", "dataset.path", "/nowhere/fashion")
        printed = fails(tree, *words, arguments=("smoke", "--cores", "1"))
    assert not re.search("(now|✓) train", printed)


def test_full_scale_data_that_is_not_there(tree, tmp_path):
    """CIFAR-10 and ImageNet say plainly what is missing."""
    before = {}
    for name, experiment in (("cifar10", "cifar2_resnet9"), ("imagenet", "imagenet_resnet18")):
        path = tree.folder / f"config/experiments/{experiment}.yaml"
        before[path] = path.read_text()
        elsewhere = f"name: {name}, source: folder, path: {tmp_path / name},"
        path.write_text(before[path].replace(f"name: {name},", elsewhere))
        assert path.read_text() != before[path]
    try:
        result = tree.snakemake("--keep-going", *(f"results/paper/{path.stem}/data/meta.json" for path in before))
    finally:
        for path, text in before.items():
            path.write_text(text)
    assert result.returncode == 1
    for word in (f"{tmp_path}/cifar10", "cifar-10-batches-py", f"{tmp_path}/imagenet", "holds train/ and val/"):
        assert word in result.stdout
