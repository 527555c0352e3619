"""Everything that has a cost is listed, from the settings alone."""

from pathlib import Path

import pytest

from trakway.config import load_experiment
from trakway.plan.ensembles import ensemble_shards, ensemble_sizes
from trakway.plan.methods import method_names
from trakway.report.costs import cost_names

EXPERIMENTS = Path(__file__).parents[2] / "config/experiments"


@pytest.mark.parametrize("name", ["fashion_resnet", "digits_ddpm"])
def test_costs(name):
    settings = load_experiment(EXPERIMENTS / f"{name}.yaml", "smoke")
    names = cost_names(settings)
    assert len(set(names)) == len(names)
    stages = {one for one in names if "/" not in one}
    steps = {"targets", "shift", "emergence", "timestep_correlation"} if name == "digits_ddpm" else set()
    fixed = {"lds_fixed", "removal_fixed", "shift_fixed", "preflight"} if settings["bank"]["fixed"] else set()
    assert bool(fixed) == (name == "digits_ddpm")
    assert stages == {"data", "lds", "cost", "removal", "models", "representations"} | steps | fixed
    differentiated = {one for one in names if one.startswith("metagradients/")}
    assert differentiated == ({"metagradients/full/0", "metagradients/members/0"} if name == "digits_ddpm" else set())
    trained = {one.removeprefix("train/") for one in names if one.startswith("train/")}
    assert trained == {f"{e}/{shard}" for e in ensemble_sizes(settings) for shard in ensemble_shards(settings, e)}
    assert {one for one in names if one.startswith("scores/")} == {f"scores/{m}" for m in method_names(settings)}
    assert any(one.startswith("completions/removal/") for one in names) == bool(steps)
    assert any(one.startswith("features/") for one in names)
