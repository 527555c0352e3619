"""What every experiment needs at every tier; nothing is measured here, sizes and counts alone are looked at."""

import functools
import socket
from pathlib import Path

import pytest
import torch
import transformers

from trakway.config import experiment_tiers, load_experiments
from trakway.forecast import calibration, forecast
from trakway.forecast.calibration import Calibration, Network
from trakway.forecast.disk import file_sizes
from trakway.forecast.pace import Pace
from trakway.forecast.sample import Counts
from trakway.forecast.work import TRACED, Work
from trakway.plan import ensemble_sizes, methods_of
from trakway.report.costs import cost_names

FOLDER = Path(__file__).parents[2] / "config/experiments"
ALL = [(name, tier) for name, tiers in experiment_tiers(FOLDER).items() for tier in tiers]
SECOND = Pace(0.0, 1.0)


def settings_of(name: str, tier: str) -> dict:
    return load_experiments(FOLDER, tier, [name])[name]


def a_second_each(settings: dict) -> Calibration:
    """A machine on which a row of whatever takes a second."""
    network = Network({"w": torch.empty(3, 4, device="meta")}, "safetensors", [(3, 4)], SECOND, SECOND, 0.0, 5)
    names = ["members", *(name for name in ("autoencoder", "domain") if name in ensemble_sizes(settings))]
    picture = (3, 8, 8)
    return Calibration(1.0, dict.fromkeys(names, network), SECOND, (4, 2, 2), picture, picture)


@pytest.mark.parametrize(("name", "tier"), ALL)
def test_every_experiment_at_every_tier(name, tier):
    settings = settings_of(name, tier)
    counts, measured = Counts(2000, 1000, 10, 100, 50), a_second_each(settings)
    work = Work(settings, counts, measured)
    jobs = work.jobs()
    assert set(jobs) == set(cost_names(settings))
    assert all(seconds > 0 for seconds in jobs.values())
    sizes = file_sizes(settings, counts, measured)
    assert all(size > 8 for size in sizes.values())
    assert {f"scores/{method}.npy" for method in methods_of(settings)} <= set(sizes)


def test_training_samples():
    """Ten members on half of 2,000 examples, two on all, at six epochs; a second a sample."""
    settings = settings_of("fashion_resnet", "demo")
    settings["training"] |= {"epochs": 6, "steps": None, "batch_size": 100}
    work = Work(settings, Counts(2000, 1000, 10, 100, 50), a_second_each(settings))
    assert work.samples("members", "00000-00010") == 10 * 1000 * 6
    assert work.samples("reference", "00000-00002") == 2 * 2000 * 6
    assert work.seconds("train", "members", "00000-00010") == pytest.approx(1 + 10 * 1000 * 6)
    settings["training"] |= {"epochs": None, "steps": 7}
    assert work.samples("members", "00000-00010") == 10 * 7 * 100
    settings["removal"] |= {"fractions": [0.1], "compare_fraction": 0.1, "seeds": 2}
    assert set(work.sizes("removal", range(4))) == {1800}


def test_derivatives_through_training():
    """Of 60 steps of 32 examples, twice as many where half of the examples count; a second a sample."""
    settings = settings_of("reviews_exact", "validated")
    settings["training"] |= {"epochs": None, "steps": 60, "batch_size": 32}
    settings["metagradient"] |= {"start": [0.0, 0.5]}
    work = Work(settings, Counts(2000, 1000, 10, 100, 50), a_second_each(settings))
    once, targets = 1 + 60 * 32, 1 + TRACED["cpu"] * work.entries.total
    assert work.seconds("metagradients", "full", "0") == pytest.approx(once * targets, rel=1e-3)
    assert work.seconds("metagradients", "members", "0") == pytest.approx(2 * once * targets, rel=1e-3)
    settings["metagradient"] |= {"start": [0.9]}
    assert work.seconds("metagradients", "full", "0") < 0.2 * once * targets


@pytest.fixture
def nothing_is_timed(monkeypatch):
    """Everything is done once, and nothing may be looked for in a network."""
    monkeypatch.setattr(socket.socket, "connect", None)
    monkeypatch.setattr(calibration, "pace", lambda run, wanted, device: (run(1), SECOND)[1])


def test_data_are_not_needed(nothing_is_timed):
    found = forecast(settings_of("cifar2_resnet9", "paper"))
    assert (found.counts.train, found.counts.test, found.counts.classes) == (10_000, 2_000, 2)
    assert found.files["data/train_images.npy"] == 128 + 10_000 * 3 * 32 * 32
    assert found.notes == []


def test_weights_are_not_needed(nothing_is_timed, monkeypatch):
    """A classifier of texts that are on the hub, as its weights."""
    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 12}
    monkeypatch.setattr(transformers, "BertConfig", functools.partial(transformers.BertConfig, **small))
    settings = settings_of("qnli_bert", "paper")
    settings["model"]["pretrained"] = "/nowhere/bert"
    found = forecast(settings)
    words = "model.pretrained: /nowhere/bert is not on this machine; measured with a BERT-base of random weights"
    assert found.notes == [words]
    assert found.files["features/factored-4096/output/0/00000-00001/train.npy"] == 128 + 50_000 * 4096 * 4
