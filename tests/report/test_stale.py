import copy
from pathlib import Path

import pytest

from trakway.attribution.inputs import INPUTS, inputs_of
from trakway.config import load_experiments
from trakway.plan import ensemble_shards, ensemble_sizes, methods_of
from trakway.report.costs import cost_names
from trakway.report.stale import stale

EXPERIMENTS = Path(__file__).parents[2] / "config/experiments"


def made(settings: dict) -> set[str]:
    """Return files that a run of an experiment makes, a good part of them."""
    chosen = methods_of(settings)
    files = [f"{kind}/{name}.{end}" for name in cost_names(settings) for kind, end in RECORDS.items()]
    files += [file for name in inputs_of(list(chosen.values())) for file in INPUTS[name].files(settings)]
    files += [f"scores/{method}.{end}" for method in chosen for end in ("npy", "json")]
    for ensemble, (subsets, seeds) in ensemble_sizes(settings).items():
        files += [f"subsets/{ensemble}.npy"]
        for shard in ensemble_shards(settings, ensemble):
            files += [f"train/{ensemble}/{shard}.json", f"train/{ensemble}/{shard}.curves.parquet"]
            files += [f"outputs/{ensemble}/{shard}.npy", f"outputs/{ensemble}/{shard}.models.parquet"]
        for index in range(subsets * seeds):
            models = f"train/{ensemble}/models/{index:05d}"
            files += [f"{models}.json", f"{models}/diffusion_pytorch_model.safetensors", f"{models}.0.safetensors"]
    return {*files, "data/meta.json", "targets/targets.parquet", "tables/lds.csv", "report.html", "mine.txt"}


RECORDS = {"costs": "json", "logs": "log"}


def touch(folder: Path, files) -> None:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


def found(settings: dict, folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in stale(settings, folder)}


@pytest.mark.parametrize("name", ["fashion_resnet", "digits_ddpm", "fashion_ldm", "reviews_bert"])
def test_nothing_that_is_asked_for(name, tmp_path):
    settings = load_experiments(EXPERIMENTS, "smoke", [name])[name]
    touch(tmp_path, made(settings))
    assert found(settings, tmp_path) == set()


CHANGES = {
    "fewer members": lambda s: s["members"].update(count=1),
    "another cut": lambda s: s["execution"].update(models_per_job=2),
    "fewer of the bank": lambda s: s["bank"]["evaluation"].update(subsets=3),
    "no bank at a fixed seed": lambda s: s["bank"].update(fixed=None),
    "another projection": lambda s: (s["projection"].update(dim=16), s["ablation"].update(dim=[16])),
    "fewer methods": lambda s: s.update(
        methods=[m for m in s["methods"] if "meta" not in str(m) and "ek" not in str(m)]
    ),
    "other steps": lambda s: s["journey"].update(timesteps=[300]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_earlier_settings_left(change, tmp_path):
    before = load_experiments(EXPERIMENTS, "smoke", ["digits_ddpm"])["digits_ddpm"]
    after = copy.deepcopy(before)
    change(after)
    left, asked = made(before), made(after)
    assert left - asked
    touch(tmp_path, left | asked)
    # Tables, and what is one file an ensemble, are named by nothing that is counted.
    kept = {file for file in left - asked if file.count("/") == 1 and file.split("/")[0] in (*RECORDS, "subsets")}
    assert found(after, tmp_path) == left - asked - kept


def test_what_a_person_put_there_is_nobodys(tmp_path):
    settings = load_experiments(EXPERIMENTS, "smoke", ["fashion_resnet"])["fashion_resnet"]
    mine = ["notes/00000-00009.json", "exported/members/7/model.safetensors", "train/README", "features/mine.npy"]
    touch(tmp_path, mine)
    assert found(settings, tmp_path) == set()


def test_hidden_files_of_unfinished_work_go_with_it(tmp_path):
    settings = load_experiments(EXPERIMENTS, "smoke", ["fashion_resnet"])["fashion_resnet"]
    kept = ["train/members/models/.00001.123.safetensors", "outputs/members/.00000-00002.12.npy"]
    gone = ["train/members/models/.00007.123.safetensors", "outputs/members/.00000-00009.12.npy"]
    touch(tmp_path, kept + gone)
    assert found(settings, tmp_path) == set(gone)
