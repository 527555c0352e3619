import random
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import nn

import trakway as tw
from trakway.notebook.features import PROJECTION
from trakway.notebook.training import TRAINING

SCHEMA = Path(__file__).parents[2] / "config/schemas/experiment.schema.yaml"


@pytest.mark.parametrize(("section", "known"), [("training", TRAINING), ("projection", PROJECTION)])
def test_defaults_are_those_of_an_experiment(section, known):
    keys = yaml.safe_load(SCHEMA.read_text())["properties"][section]["properties"]
    assert known == {key: value["default"] for key, value in keys.items() if key != "augmentation"}


def masks(count=2):
    return tw.random_subsets(0, "members", 24, count, 0.5)


def weights(models):
    return torch.cat([parameter.flatten() for model in models for parameter in model.state_dict().values()])


def test_what_is_not_named_is_as_it_was_last_named(task):
    members = tw.train(task, masks(), epochs=2, learning_rate=0.05)
    bank = tw.train(task, masks(), name="evaluation")
    assert bank.training == members.training == {**TRAINING, "epochs": 2, "learning_rate": 0.05}
    assert tw.train(task, masks(), steps=3).training["epochs"] is None
    assert tw.train(task, masks(), epochs=1).training["steps"] is None
    assert not torch.equal(weights(members), weights(bank))  # of another name, hence other seeds


def test_curves_seeds_and_checkpoints(task):
    found = tw.train(task, masks(), seeds=2, epochs=3, checkpoints=2, learning_rate=0.05)
    assert len(found) == 4
    assert found.curves.groupby("index")["epoch"].max().tolist() == [3] * 4
    early, late = (tw.featurize(task, found, checkpoint=c, dim=8) for c in (0, 1))
    assert not np.array_equal(early.members[0].train, late.members[0].train)
    assert tw.score("tracin", [early, late]).shape == (6, 24)


def test_a_folder_keeps_models_and_goes_on(task, build, data, tmp_path):
    first = tw.train(task, masks(), epochs=2, learning_rate=0.05, folder=tmp_path)
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "members").glob("*.safetensors")}
    assert len(files) == 2
    (tmp_path / "members/00001.safetensors").unlink()
    again = tw.task(build, train=data[0], targets=data[1], device="cpu")  # as another process would
    second = tw.train(again, masks(), epochs=2, learning_rate=0.05, folder=tmp_path)
    assert torch.equal(weights(first), weights(second))
    kept = tmp_path / "members/00000.safetensors"
    assert kept.stat().st_mtime_ns == files[kept]


@pytest.mark.parametrize("change", ["data", "model", "loss"])
def test_a_folder_of_other_work_is_not_taken_over(build, data, tmp_path, change):
    def trained(build, train, **options):
        made = tw.task(build, train=train, targets=data[1], device="cpu", **options)
        tw.train(made, masks(), epochs=1, learning_rate=0.05, folder=tmp_path)
        return (tmp_path / "members/00000.safetensors").stat().st_mtime_ns

    def steeper():  # the same parameters and initial weights
        return nn.Sequential(*build(), nn.Softsign())

    first = trained(build, data[0])
    changed = {
        "data": lambda: trained(build, (data[0][0] + 1, data[0][1])),
        "model": lambda: trained(steeper, data[0]),
        "loss": lambda: trained(build, data[0], loss=lambda m, b: nn.functional.cross_entropy(2 * m(b[0]), b[1])),
    }[change]()
    assert changed != first


def test_dropout_is_drawn_by_seed_and_the_users_random_state_is_left(data):
    def build():
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.Dropout(0.5), nn.Linear(16, 3))

    def state():
        return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002

    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = state()
        task = tw.task(build, train=data[0], targets=data[1], device="cpu")
        members = tw.train(task, masks(), epochs=2, learning_rate=0.05)
        scores = tw.score("trak", tw.featurize(task, members, dim=8), ridge=0.1)
        table = tw.lds({"trak": scores}, masks(4), tw.evaluate(task, tw.train(task, masks(4))), resamples=10)
        tw.figure(table)
        assert state() == before
        found.append(scores)
    assert np.array_equal(*found)


@pytest.mark.parametrize(
    ("subsets", "options", "message"),
    [
        (None, {"epoch": 3}, 'found option .epoch.. Did you mean "epochs"'),
        (None, {"epochs": 0}, "found epochs=0, allowed: a whole number"),
        (None, {"learning_rate": -1}, "learning_rate=-1, allowed: a number above 0"),
        (None, {"ema": 1.0}, "ema=1.0"),
        (None, {"epsilon_root": -1e-8}, "epsilon_root=-1e-08, allowed: a number from 0 on"),
        (None, {"removal": "drop"}, "removal='drop', allowed: 'resample' or 'reweight'"),
        (None, {"removal": "reweight"}, r"found no losses\(model, batch\)"),
        (None, {"seeds": 0}, "seeds: found 0"),
        (None, {"epochs": None}, "exactly one of them says how long"),
        (np.ones((2, 23), bool), {}, r"subsets: found shape \(2, 23\) .*\(subsets, 24\)"),
        (np.arange(48).reshape(2, 24), {}, "subsets: found .* type int64, allowed: True and False"),
        (np.zeros((1, 24), bool), {}, "model 0 has an empty training subset"),
        (np.zeros((0, 24), bool), {}, "subsets: found 0, allowed: 1 or more"),
    ],
)
def test_mistakes(task, subsets, options, message):
    with pytest.raises(tw.UserError, match=message):
        tw.train(task, masks() if subsets is None else subsets, **options)
