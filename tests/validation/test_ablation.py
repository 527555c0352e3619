from pathlib import Path

import pytest

from trakway.config import experiment_tiers, load_experiment
from trakway.errors import UserError
from trakway.plan import projection_name, projections
from trakway.projection.build import build_projection
from trakway.validation.ablation import variants

EXPERIMENTS = Path(__file__).parents[2] / "config/experiments"
SHIPPED = [(name, tier) for name, tiers in experiment_tiers(EXPERIMENTS).items() for tier in tiers]


@pytest.fixture(params=SHIPPED, ids="-".join)
def shipped(request):
    name, tier = request.param
    return load_experiment(EXPERIMENTS / f"{name}.yaml", tier)


def test_features_that_are_computed_are_those_that_are_used(shipped):
    computed = projections(shipped)
    assert {variant.projection for variant in variants(shipped)} == set(computed)
    assert next(iter(computed)) == projection_name(shipped["projection"])
    for projection in computed.values():
        assert build_projection(projection | {"dim": projection["dim"] and 8}, 20, 0, 0, [(4, 5)]).parameters == 20


def test_every_value_of_every_grid_is_run_once(shipped):
    found = {}
    for variant in variants(shipped):
        found.setdefault(variant.axis, []).append(variant.value)
    expected = {axis: [str(value) for value in shipped["ablation"][axis]] for axis in ("members", "dim", "checkpoints")}
    expected |= {"ridge": [f"{ridge:g}" for ridge in shipped["ablation"]["ridge"]]}
    expected |= {key: shipped["ablation"][key] for key in ("projection", "preconditioner") if shipped["ablation"][key]}
    if shipped["task"] == "image_classification":
        expected |= {"weights": ["with Q", "without Q"], "average": ["paper", "joint"]}
    assert found == expected
    assert all(len(set(values)) == len(values) for values in found.values())


def test_one_setting_is_varied_at_a_time(shipped):
    main = projection_name(shipped["projection"])
    for variant in variants(shipped):
        changed = {key for key, value in variant.scores.items() if value != shipped["scores"][key]}
        changed |= {"projection"} if variant.projection != main else set()
        changed |= {"members"} if variant.members is not None else set()
        changed |= {"checkpoints"} if variant.checkpoints != 1 else set()
        assert changed <= {"projection" if variant.axis in ("dim", "preconditioner") else variant.axis}
        assert variant.scores.keys() == shipped["scores"].keys()
        assert variant.members is None or variant.members <= shipped["members"]["count"]
        assert variant.checkpoints <= shipped["training"]["checkpoints"]


SETTINGS = {
    "task": "image_classification",
    "methods": ["trak"],
    "projection": {"kind": "sjlt", "dim": 64, "nonzeros": 2},
    "scores": {"ridge": [0.1, 1.0], "soft_threshold": [0.0], "weights": True, "average": "paper"},
    "ablation": {"members": [1, 2], "dim": [16], "ridge": [0.0, 0.5], "checkpoints": [1, 3]}
    | {"projection": ["sjlt", "rademacher", "identity"], "preconditioner": ["none", "kronecker"]},
}


def test_what_the_values_stand_for():
    found = {(variant.axis, variant.value): variant for variant in variants(SETTINGS)}
    assert found["members", "2"].members == 2
    assert found["dim", "16"].projection == "sjlt2-16"
    assert found["ridge", "0.5"].scores["ridge"] == [0.5]
    assert found["weights", "without Q"].scores["weights"] is False
    assert found["weights", "with Q"].scores["weights"] is True
    assert found["average", "joint"].scores["average"] == "joint"
    assert found["projection", "sjlt"].projection == "sjlt2-64"
    assert found["projection", "rademacher"].projection == "rademacher-64"
    assert found["projection", "identity"].projection == "identity"
    assert found["preconditioner", "none"].projection == "sjlt2-64"
    assert found["preconditioner", "kronecker"].projection == "kronecker-sjlt2-64"
    assert found["checkpoints", "3"].checkpoints == 3
    assert {variant.projection for variant in found.values()} == set(projections(SETTINGS))
    alone = SETTINGS | {"projection": {"kind": "identity", "dim": None, "nonzeros": 1}}
    alone["ablation"] = SETTINGS["ablation"] | {"projection": ["identity"]}
    expected = {"identity", "kronecker-identity"}
    assert {variant.projection for variant in variants(alone)} == expected == set(projections(alone))
    assert not [variant for variant in variants(alone) if variant.axis == "dim"]


DIFFUSION = SETTINGS | {"task": "image_diffusion", "methods": ["trak", "journey_trak"]}


def test_weights_of_one_are_no_axis_of_diffusion():
    of_classification, of_diffusion = list(variants(SETTINGS)), list(variants(DIFFUSION))
    assert of_diffusion == [variant for variant in of_classification if variant.axis not in ("weights", "average")]
    assert len(of_classification) == len(of_diffusion) + 4


def test_a_main_method_without_features_cannot_be_ablated():
    assert list(variants(DIFFUSION | {"methods": ["trak", "d_trak"]}))
    with pytest.raises(UserError, match="methods: found d_trak .* allowed: trak, journey_trak, .* add journey_trak"):
        list(variants(DIFFUSION | {"methods": ["d_trak", "trak"]}))
    with pytest.raises(UserError, match="methods: found journey_window"):  # its windows would stay as they are
        list(variants(DIFFUSION | {"methods": ["journey_window", "trak"]}))
