import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway import plan
from trakway.errors import UserError
from trakway.plan import Removal, count_removal_rows, removal_rows

SOURCE = Path(__file__).parents[2] / "src/trakway"
REMOVAL = {
    "targets": 3,
    "fractions": [0.1, 0.2],
    "sides": ["top", "bottom"],
    "methods": ["trak", "pixel"],
    "random": 4,
    "seeds": 2,
    "fixed": 0,
    "reference": 5,
}


def test_full_grid_for_all_by_default():
    rows = removal_rows(REMOVAL)
    assert count_removal_rows(REMOVAL) == len(rows) == 2 * 2 * 2 * 3 + 2 * 4
    assert len(set(rows)) == len(rows)
    assert rows == removal_rows(REMOVAL | {"full_grid": None})
    assert rows == removal_rows(REMOVAL | {"full_grid": ["pixel", "trak"]})
    assert rows[:3] == [Removal("trak", "top", 0.1, target) for target in range(3)]
    assert rows[-1] == Removal("random", "random", 0.2, -1, 3)


def test_methods_outside_the_full_grid_are_compared_at_one_fraction():
    removal = REMOVAL | {"full_grid": ["trak"], "compare_fraction": 0.2}
    rows = [row for row in removal_rows(removal) if row.method == "pixel"]
    assert rows == [Removal("pixel", "top", 0.2, target) for target in range(3)]
    assert count_removal_rows(removal) == 2 * 2 * 3 + 3 + 2 * 4
    assert rows == [row for row in removal_rows(removal | {"sides": ["bottom"]}) if row.method == "pixel"]
    assert count_removal_rows(removal | {"full_grid": []}) == 3 + 3 + 2 * 4
    assert count_removal_rows(removal | {"sides": ["bottom"]}) == 2 * 3 + 3 + 2 * 4


def test_methods_of_steps_get_a_row_for_each_timestep():
    removal = REMOVAL | {"methods": ["trak", "journey_trak"], "timesteps": [800, 200]}
    rows = removal_rows(removal, ["journey_trak", "datamodel"])
    assert count_removal_rows(removal, ["journey_trak"]) == len(rows) == 2 * 2 * 3 + 2 * 2 * 3 * 2 + 2 * 4
    assert count_removal_rows(removal) == 2 * 2 * 2 * 3 + 2 * 4
    assert len(set(rows)) == len(rows)
    assert [row for row in rows if row.method == "trak"] == [
        row for row in removal_rows(REMOVAL) if row.method == "trak"
    ]
    assert [row for row in rows if row.method == "random"] == removal_rows(REMOVAL)[-8:]
    own = [row for row in rows if row.method == "journey_trak"]
    assert own[:3] == [Removal("journey_trak", "top", 0.1, *one) for one in ((0, 0, 800), (0, 0, 200), (1, 0, 800))]


def test_steps_multiply_nothing_else():
    """Without timesteps a method of steps is like every other, and at one fraction too it keeps its steps."""
    removal = REMOVAL | {"methods": ["trak", "datamodel"]}
    per_step = ["datamodel"]
    assert all(row.timestep is None for row in removal_rows(removal | {"timesteps": None}, per_step))
    assert removal_rows(removal, per_step) == removal_rows(removal | {"timesteps": None}, per_step)
    assert removal_rows(removal, per_step) == removal_rows(removal)
    compared = removal | {"full_grid": ["trak"], "compare_fraction": 0.2, "timesteps": [5, 3]}
    found = [
        (row.fraction, row.target, row.timestep)
        for row in removal_rows(compared, per_step)
        if row.method == "datamodel"
    ]
    assert found == [(0.2, target, timestep) for target in range(3) for timestep in (5, 3)]


def test_random_is_the_control_only():
    rows = removal_rows(REMOVAL | {"methods": ["random", "trak", "pixel"]})
    assert rows == removal_rows(REMOVAL)
    assert count_removal_rows(REMOVAL | {"methods": ["random"], "random": 0}) == 0


def test_mistakes():
    with pytest.raises(UserError, match=r"removal\.full_grid: 'trac' is not among removal\.methods \(trak, pixel\)"):
        removal_rows(REMOVAL | {"full_grid": ["trac"], "compare_fraction": 0.1})
    for wrong in ({}, {"compare_fraction": 0.3}, {"compare_fraction": None}):
        with pytest.raises(
            UserError, match=r"removal\.compare_fraction: found .* one of removal\.fractions \(0\.1, 0\.2\)"
        ):
            removal_rows(REMOVAL | {"full_grid": ["trak"]} | wrong)
    assert removal_rows(REMOVAL | {"full_grid": ["trak", "pixel"], "compare_fraction": 0.3})  # not needed, not checked


def test_imports_nothing_heavy():
    code = "import sys, trakway.plan; print([m for m in ('numpy', 'pandas', 'torch', 'scipy') if m in sys.modules])"
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(source)}, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


class TestFunctions:
    @given(st.integers(1, 10**6))
    def test_windows_say_their_timestep(self, timestep):
        function = plan.window(timestep)
        assert plan.is_window(function)
        assert plan.window_timestep(function) == timestep

    def test_nothing_else_is_a_window(self):
        assert not any(plan.is_window(function) for function in ("output", "norm"))


class TestTaskSettings:
    diffusion = {
        "seed": 4,
        "task": "image_diffusion",
        "model": {"name": "unet"},
        "training": {"steps": 9},
        "diffusion": {"timesteps": 10},
        "journey": {"timesteps": [5]},
        "autoencoder": None,
        "domain": {"model": {"name": "resnet9"}, "training": {"epochs": 2}},
        "removal": {"targets": 3},
        "execution": {"chunk": 1},
    }
    classification = diffusion | {"task": "image_classification", "domain": None}

    @staticmethod
    def of(settings, *names):
        return {name: settings[name] for name in names}

    def test_of_classification(self):
        base = self.of(self.classification, "seed", "task", "model")
        assert plan.task_settings(self.classification) == plan.target_settings(self.classification) == base
        found = plan.task_settings(self.classification, "evaluation", "training")
        assert found == base | self.of(self.classification, "training")

    def test_diffusion_has_its_process_and_with_targets_its_journey(self):
        base = self.of(self.diffusion, "seed", "task", "model", "diffusion")
        assert plan.task_settings(self.diffusion) == base
        assert plan.task_settings(self.diffusion, "removal", "training") == base | self.of(self.diffusion, "training")
        assert plan.target_settings(self.diffusion) == base | self.of(self.diffusion, "journey")
        found = plan.target_settings(self.diffusion, "domain", "removal")
        assert found == base | self.of(self.diffusion, "journey", "domain", "removal")

    def test_features_know_nothing_of_the_targets(self):
        journey = {"timesteps": [5], "target_draws": 9, "train_draws": 2, "window": 3, "window_draws": 4, "patches": []}
        settings = self.diffusion | {"journey": journey}
        kept = {"train_draws": 2, "window": 3, "window_draws": 4}
        base = self.of(settings, "seed", "task", "model", "diffusion")
        assert plan.feature_settings(settings) == base | {"journey": kept}
        assert settings["journey"] == journey
        assert plan.feature_settings(self.classification) == self.of(self.classification, "seed", "task", "model")

    def test_the_domain_is_a_classification_of_its_own(self):
        base = {"seed": 4, "task": "image_classification", "model": {"name": "resnet9"}}
        assert plan.task_settings(self.diffusion, "domain") == base
        assert plan.task_settings(self.diffusion, "domain", "training") == base | {"training": {"epochs": 2}}


@pytest.mark.parametrize(
    ("task", "methods", "main"),
    [
        ("image_classification", ["pixel", "trak"], "trak"),
        ("image_classification", ["pixel", "gradient_dot"], "pixel"),
        ("image_diffusion", ["trak", "journey_trak"], "journey_trak"),
        ("image_diffusion", ["trak", "pixel"], "trak"),
    ],
)
def test_main_method(task, methods, main):
    assert plan.main_method({"task": task, "methods": methods}) == main


class TestEnsembleSizes:
    settings = {
        "task": "image_diffusion",
        "methods": ["trak", "pixel"],
        "members": {"count": 10, "checkpoints": None},
        "bank": {"evaluation": {"subsets": 50, "seeds": 3}, "estimation": {"subsets": 100, "seeds": 1}, "fixed": None},
        "removal": REMOVAL,
        "autoencoder": None,
        "domain": None,
    }
    sizes = {
        "members": (10, 1),
        "evaluation": (50, 3),
        "estimation": (100, 1),
        "reference": (1, 5),
        "removal": (len(removal_rows(REMOVAL)), 2),
    }

    def test_in_order(self):
        found = plan.ensemble_sizes(self.settings)
        assert found == self.sizes
        assert list(found) == list(self.sizes)

    def test_steps_multiply_removals(self):
        """Of a method that tells them apart, one of one's own among them."""
        settings = self.settings | {"removal": REMOVAL | {"timesteps": [5, 3]}}
        items = ["trak", {"name": "pixel", "method": "journey_trak"}]
        assert plan.ensemble_sizes(settings) == self.sizes
        found = plan.ensemble_sizes(settings | {"methods": items})
        assert found == self.sizes | {"removal": (2 * 2 * 3 + 2 * 2 * 3 * 2 + 2 * 4, 2)}

    def test_a_fixed_bank_has_as_many_subsets_of_each_share_at_one_seed(self):
        bank = self.settings["bank"] | {"fixed": {"dropped": [0.01, 0.2, 0.5], "subsets": 4}}
        found = plan.ensemble_sizes(self.settings | {"bank": bank})
        assert found == self.sizes | {"fixed": (12, 1)}

    def test_removals_at_fixed_seeds_stand_beside_the_others(self):
        found = plan.ensemble_sizes(self.settings | {"removal": self.settings["removal"] | {"fixed": 3}})
        assert found == self.sizes | {"reference_fixed": (1, 3), "removal_fixed": (self.sizes["removal"][0], 3)}

    def test_a_domain_has_one_classifier(self):
        found = plan.ensemble_sizes(self.settings | {"domain": {"model": {}}})
        assert found == self.sizes | {"domain": (1, 1)}

    def test_checkpoints_of_ones_own_are_the_members(self):
        """However many members were to be trained."""
        found = plan.ensemble_sizes(self.settings | {"members": {"count": 10, "checkpoints": ["a", "b", "c"]}})
        assert found == self.sizes | {"members": (3, 1)}

    def test_only_these_say_whose_outputs_they_give(self):
        domain = plan.ensemble_sizes(self.settings | {"domain": {"model": {}}})
        assert set(plan.OUTPUT_ROLES) - {"autoencoder"} < set(domain)
        assert plan.OUTPUT_ROLES["members"] == plan.OUTPUT_ROLES["domain"] == ()
        assert set(plan.OUTPUT_ROLES["estimation"]) == {"evaluation", "tuning"}


class TestShards:
    def test_by_hand(self):
        assert plan.shards(60, 25) == ["00000-00020", "00020-00040", "00040-00060"]
        assert plan.shards(50, 25) == ["00000-00025", "00025-00050"]
        assert plan.shards(3, 25) == ["00000-00003"]
        assert plan.shards(0, 25) == []

    @given(models=st.integers(0, 3000), size=st.integers(1, 400))
    def test_every_model_is_in_one_shard_in_order(self, models, size):
        names = plan.shards(models, size)
        ranges = [plan.shard_range(name) for name in names]
        assert [model for part in ranges for model in part] == list(range(models))
        assert len(names) == -(-models // size)
        assert len({len(part) for part in ranges[:-1]}) <= 1
        assert all(len(part) <= size for part in ranges)
        assert names == sorted(names)

    def test_models_beyond_five_digits(self):
        assert plan.shard_range(plan.shards(250_000, 120_000)[-1]) == range(166_668, 250_000)

    def test_another_cut_has_other_names(self):
        assert not set(plan.shards(100, 30)) & set(plan.shards(100, 40))


KINDS = st.one_of(
    st.fixed_dictionaries({"kind": st.just("sjlt"), "dim": st.integers(1, 3000), "nonzeros": st.integers(1, 300)}),
    st.fixed_dictionaries({"kind": st.sampled_from(["rademacher", "factored"]), "dim": st.integers(1, 3000)}),
    st.just({"kind": "identity", "dim": None}),
)


CHANGES = st.just({}) | st.fixed_dictionaries(
    {
        "preconditioner": st.just("kronecker"),
        "preconditioner_examples": st.integers(1, 300),
        "damping": st.sampled_from([1e-8, 0.015, 0.1, 1.0, 10.0, 1e7]),
    }
)
PRECISIONS = st.just({}) | st.just({"precision": "bfloat16"})
PROJECTIONS = st.builds(lambda kind, change, precision: kind | change | precision, KINDS, CHANGES, PRECISIONS)


class TestProjections:
    def test_names(self):
        assert plan.projection_name({"kind": "sjlt", "dim": 1024}) == "sjlt1-1024"
        assert plan.projection_name({"kind": "sjlt", "dim": 16, "nonzeros": 4}) == "sjlt4-16"
        assert plan.projection_name({"kind": "rademacher", "dim": 16, "nonzeros": 4}) == "rademacher-16"
        assert plan.projection_name({"kind": "factored", "dim": 1024, "nonzeros": 4}) == "factored-1024"
        assert plan.projection_name({"kind": "identity", "dim": None, "nonzeros": 1}) == "identity"

    @given(PROJECTIONS, PROJECTIONS)
    def test_two_projections_never_share_a_name(self, one, other):
        assert (plan.projection_name(one) == plan.projection_name(other)) == (one == other)

    def test_own_first_then_those_of_the_ablation(self):
        main = {"kind": "sjlt", "dim": 64, "nonzeros": 2}
        ablation = {"dim": [16, 64, 128], "projection": ["sjlt", "rademacher", "factored", "identity"]}
        found = plan.projections({"projection": main, "ablation": ablation})
        assert list(found) == ["sjlt2-64", "sjlt2-16", "sjlt2-128", "rademacher-64", "factored-64", "identity"]
        assert found["sjlt2-64"] == main
        assert found["sjlt2-128"] == {"kind": "sjlt", "dim": 128, "nonzeros": 2}
        assert found["rademacher-64"]["dim"] == 64
        assert found["identity"]["dim"] is None
        assert {name: plan.projection_name(projection) for name, projection in found.items()} == {n: n for n in found}

    def test_precision_is_part_of_the_name(self):
        main = {"kind": "sjlt", "dim": 64, "nonzeros": 2, "precision": "bfloat16"}
        assert plan.projection_name(main) == "sjlt2-64-bfloat16"
        assert plan.projection_name(main | {"precision": "float32"}) == "sjlt2-64"
        assert plan.projection_name({"kind": "identity", "dim": None, "precision": "bfloat16"}) == "identity-bfloat16"

    def test_the_preconditioner_is_part_of_the_name(self):
        main = {"kind": "sjlt", "dim": 64, "nonzeros": 2}
        main |= {"preconditioner": "kronecker", "preconditioner_examples": 50, "damping": 0.1}
        ablation = {"dim": [16], "projection": ["identity"], "preconditioner": ["none", "kronecker"]}
        found = plan.projections({"projection": main, "ablation": ablation})
        changed = [f"kronecker-50-0.1-{name}" for name in ("sjlt2-64", "sjlt2-16", "identity")]
        assert list(found) == [*changed, "sjlt2-64"]
        assert found["kronecker-50-0.1-sjlt2-64"] == main
        assert found["kronecker-50-0.1-identity"]["damping"] == 0.1
        assert found["sjlt2-64"]["preconditioner"] == "none"
        assert plan.preconditioner_name(main | {"damping": 1.0, "preconditioner_examples": 7}) == "kronecker-7-1"
        assert plan.preconditioner_name(found["sjlt2-64"]) == plan.preconditioner_name({"kind": "identity"}) == ""

    def test_without_ablation(self):
        main = {"kind": "sjlt", "dim": 64, "nonzeros": 1}
        assert plan.projections({"projection": main}) == {"sjlt1-64": main}
        assert plan.projections({"projection": main, "ablation": None}) == {"sjlt1-64": main}

    def test_all_have_what_they_need_when_the_experiment_itself_projects_nothing(self):
        settings = {"projection": {"kind": "identity", "dim": None, "nonzeros": 1}}
        settings["ablation"] = {"dim": [256, 1024], "projection": ["sjlt", "rademacher"]}  # the schema's defaults
        for name, projection in plan.projections(settings).items():
            assert name == "identity" or projection["dim"] is not None
