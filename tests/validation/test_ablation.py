import dataclasses
from pathlib import Path

import numpy as np
import pytest

from trakway.attribution.methods import trak
from trakway.config import experiment_tiers, load_experiment
from trakway.errors import UserError
from trakway.plan import main_method, methods_of, projection_name, projections
from trakway.projection import VERSION
from trakway.projection.build import build_projection
from trakway.storage.files import write_array, write_json
from trakway.validation.ablation import ablation_runs, variants

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
    if shipped["ablation"]["parameters"]:
        expected |= {"parameters": [pattern or "all" for pattern in shipped["ablation"]["parameters"]]}
    if not shipped["task"].endswith("_diffusion"):
        expected |= {"weights": ["with Q", "without Q"], "average": ["paper", "joint"]}
    assert found == expected
    assert all(len(set(values)) == len(values) for values in found.values())


def test_one_setting_is_varied_at_a_time(shipped):
    main, chosen = projection_name(shipped["projection"]), methods_of(shipped)[main_method(shipped)]
    shared = ("ridge", "soft_threshold", "weights", "average")
    assert chosen.options == {key: shipped["scores"][key] for key in shared}
    for variant in variants(shipped):
        changed = {key for key, value in variant.chosen.options.items() if value != chosen.options[key]}
        changed |= {"projection"} if variant.projection != main else set()
        changed |= {"members"} if variant.members is not None else set()
        changed |= {"checkpoints"} if variant.checkpoints != 1 else set()
        assert changed <= {"projection" if variant.axis in ("dim", "preconditioner", "parameters") else variant.axis}
        assert dataclasses.replace(variant.chosen, options=chosen.options) == chosen
        assert variant.chosen.options.keys() == chosen.options.keys()
        assert variant.members is None or variant.members <= shipped["members"]["count"]
        assert variant.checkpoints <= shipped["training"]["checkpoints"]


KRONECKER = {"preconditioner": "none", "preconditioner_examples": 32, "damping": 0.1}
SETTINGS = {
    "task": "image_classification",
    "methods": ["trak"],
    "projection": {"kind": "sjlt", "dim": 64, "nonzeros": 2, **KRONECKER},
    "scores": {"ridge": [0.1, 1.0], "soft_threshold": [0.0], "weights": True, "average": "paper"},
    "ablation": {"members": [1, 2], "dim": [16], "ridge": [0.0, 0.5], "parameters": [], "checkpoints": [1, 3]}
    | {"projection": ["sjlt", "rademacher", "identity"], "preconditioner": ["none", "kronecker"]},
}


def test_what_the_values_stand_for():
    found = {(variant.axis, variant.value): variant for variant in variants(SETTINGS)}
    assert found["members", "2"].members == 2
    assert found["dim", "16"].projection == "sjlt2-16"
    assert found["ridge", "0.5"].chosen.options["ridge"] == [0.5]
    assert found["weights", "without Q"].chosen.options["weights"] is False
    assert found["weights", "with Q"].chosen.options["weights"] is True
    assert found["average", "joint"].chosen.options["average"] == "joint"
    assert found["projection", "sjlt"].projection == "sjlt2-64"
    assert found["projection", "rademacher"].projection == "rademacher-64"
    assert found["projection", "identity"].projection == "identity"
    assert found["preconditioner", "none"].projection == "sjlt2-64"
    assert found["preconditioner", "kronecker"].projection == "kronecker-32-0.1-sjlt2-64"
    assert found["checkpoints", "3"].checkpoints == 3
    assert {variant.projection for variant in found.values()} == set(projections(SETTINGS))
    alone = SETTINGS | {"projection": {"kind": "identity", "dim": None, "nonzeros": 1, **KRONECKER}}
    alone["ablation"] = SETTINGS["ablation"] | {"projection": ["identity"]}
    expected = {"identity", "kronecker-32-0.1-identity"}
    assert {variant.projection for variant in variants(alone)} == expected == set(projections(alone))
    assert not [variant for variant in variants(alone) if variant.axis == "dim"]


DIFFUSION = SETTINGS | {"task": "image_diffusion", "methods": ["trak", "journey_trak"]}


def test_weights_of_one_are_no_axis_of_diffusion():
    of_classification, of_diffusion = list(variants(SETTINGS)), list(variants(DIFFUSION))
    (journey,) = {variant.chosen.name for variant in of_diffusion}
    assert journey == "journey_trak"
    assert [dataclasses.astuple(dataclasses.replace(variant, chosen=None)) for variant in of_diffusion] == [
        dataclasses.astuple(dataclasses.replace(variant, chosen=None))
        for variant in of_classification
        if variant.axis not in ("weights", "average")
    ]
    assert [variant.chosen.options for variant in of_diffusion] == [
        variant.chosen.options for variant in of_classification if variant.axis not in ("weights", "average")
    ]
    assert len(of_classification) == len(of_diffusion) + 4


def test_a_main_method_without_features_cannot_be_ablated():
    assert list(variants(DIFFUSION | {"methods": ["trak", "d_trak"]}))
    with pytest.raises(UserError, match="methods: found d_trak .* allowed: trak; name it first among methods, or"):
        list(variants(DIFFUSION | {"methods": ["d_trak", "trak"]}))
    with pytest.raises(UserError, match="methods: found pixel .* allowed: trak, journey_trak; name it first"):
        list(variants(DIFFUSION | {"methods": ["pixel"]}))
    with pytest.raises(UserError, match="methods: found journey_window"):  # its windows would stay as they are
        list(variants(DIFFUSION | {"methods": ["journey_window", "trak"]}))


def test_runs_are_of_the_features_members_and_options_of_their_variant(material, tmp_path):
    """Each against TRAK of the same features; whatever the material's own features are."""
    settings = SETTINGS | {"projection": {"kind": "sjlt", "dim": 64, "nonzeros": 2}}
    settings |= {"scores": SETTINGS["scores"] | {"ridge": [0.1]}}
    settings["ablation"] = SETTINGS["ablation"] | {"checkpoints": [1, 2], "preconditioner": [], "ridge": [0.5]}
    features, files = {}, []
    for number, name in enumerate(projections(settings)):
        entries = [dataclasses.replace(entry, train=entry.train * (number + 1) + number) for entry in material.norm]
        features[name] = entries
        for shard, part in (("00000-00002", entries[:2]), ("00002-00003", entries[2:])):
            folder = tmp_path / "features" / name / "output/1" / shard
            for kind in ("train", "targets", "weights"):
                write_array(folder / f"{kind}.npy", np.stack([getattr(entry, kind) for entry in part]))
            info = {"projection": {"name": name}, "definition": VERSION, "parameters": 9, "function": "output"}
            for kind in ("train", "targets"):
                write_json(folder / f"{kind}.json", info | {"checkpoint": 1, "learning_rates": [1.0] * len(part)})
                files.append(folder / f"{kind}.json")
    given = material.replace(features=[])
    runs = list(ablation_runs(settings, given, 4, files))
    assert [variant for variant, *_ in runs] == list(variants(settings))
    for variant, scores, record in runs:
        own = features[variant.projection][: variant.members]
        if variant.checkpoints == 2:
            own = [entry for members in material.checkpoints for entry in members]
        options = {key: value[0] if isinstance(value, list) else value for key, value in variant.chosen.options.items()}
        expected = np.empty((4, 30), np.float32)
        trak.score(material.replace(features=own, cache={}).of_targets(slice(0, 4)), expected, **options)
        np.testing.assert_array_equal(scores, expected)
        assert record == {"members": len(own), "dim": 6, "ridge": options["ridge"]}
    assert len({scores.tobytes() for _, scores, _ in runs}) > 8
