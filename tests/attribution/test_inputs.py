"""Where inputs lie, what they cost, how they are cut; how they are loaded is in test_loading.py."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trakway.attribution.inputs import INPUTS, inputs_of
from trakway.config import load_experiment
from trakway.plan import ensemble_sizes, methods_of, modality_of

ROOT = Path(__file__).parents[2]
SMK = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))


@pytest.fixture(params=[("fashion_resnet", "demo"), ("digits_ddpm", "demo"), ("cifar2_ddpm", "paper")], ids="-".join)
def settings(request):
    name, tier = request.param
    return load_experiment(ROOT / f"config/experiments/{name}.yaml", tier)


@pytest.fixture(scope="module")
def written():
    """Whether a rule writes a file, given below the experiment's folder."""
    names = dict(re.findall(r'^(\w+) = f?"(.*)"$', SMK, re.MULTILINE))
    patterns = set()
    for block in re.findall(r"^    output:\n((?: {8,}.*\n)+)", SMK, re.MULTILINE):
        for path in re.findall(r'f"\{ROOT\}/([^"]*)"', block):
            path = (
                re.sub(r"(?<!\{)\{([A-Z]+)\}", lambda match: names[match[1]], path)
                .replace("{{", "{")
                .replace("}}", "}")
            )
            patterns.add(re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(path)))
    return lambda file: any(re.fullmatch(pattern, file) for pattern in patterns)


class TestFiles:
    def test_are_what_rules_write(self, settings, written):
        for name, found in INPUTS.items():
            if modality_of(settings).has(found.needs):
                for file in [*found.files(settings), *found.costs(settings)]:
                    assert written(file), (name, file)
        assert not written("features/sjlt1-64/output/0/00000-00005/info.json")

    def test_every_input_of_models_has_files_and_a_cost_and_an_ensemble(self, settings):
        for name, found in INPUTS.items():
            if modality_of(settings).has(found.needs):
                made = name not in ("examples", "texts", "captions", "labels")
                assert bool(found.files(settings)) == bool(found.costs(settings)) == made
                trained = made and name != "metagradients"  # which train runs of their own
                assert (found.ensemble(settings) in ensemble_sizes(settings)) == trained

    def test_no_file_is_named_twice(self, settings):
        for found in INPUTS.values():
            if modality_of(settings).has(found.needs):
                for files in (found.files(settings), found.costs(settings)):
                    assert len(files) == len(set(files))


CLASSIFICATION = {
    "task": "image_classification",
    "methods": ["trak"],
    "members": {"count": 3, "checkpoints": None},
    "bank": {"evaluation": {"subsets": 9, "seeds": 1}, "estimation": {"subsets": 2, "seeds": 3}, "fixed": None},
    "removal": {"targets": 1, "fractions": [0.1], "sides": ["top"], "methods": ["trak"], "random": 1, "fixed": 0}
    | {"seeds": 1, "reference": 1},
    "autoencoder": None,
    "domain": None,
    "training": {"checkpoints": 3},
    "metagradient": {"runs": 2, "at": ["full"], "start": [0]},
    "curvature": {"members": 2},
    "journey": {"timesteps": None},
    "projection": {"kind": "sjlt", "dim": 8, "nonzeros": 2},
    "execution": {"members_per_job": 2, "models_per_job": 4},
}
DIFFUSION = CLASSIFICATION | {"task": "image_diffusion", "domain": {"model": {}}, "journey": {"timesteps": [70, 30]}}
PRECONDITIONED = CLASSIFICATION["projection"] | {
    "preconditioner": "kronecker", "preconditioner_examples": 5, "damping": 0.5
}  # fmt: skip
SHARDS = ["00000-00002", "00002-00003"]


class TestByHand:
    @pytest.mark.parametrize(("name", "function"), [("features", "output"), ("norm", "norm")])
    def test_features_of_the_final_checkpoint(self, name, function):
        assert INPUTS[name].files(DIFFUSION) == [
            f"features/sjlt2-8/{function}/2/{shard}/{part}.json" for shard in SHARDS for part in ("train", "targets")
        ]
        assert INPUTS[name].costs(DIFFUSION) == [
            f"costs/features/sjlt2-8/{function}/2/{shard}/{part}.json"
            for shard in SHARDS
            for part in ("train", "targets")
        ]

    def test_features_of_all_checkpoints(self):
        files = INPUTS["checkpoints"].files(CLASSIFICATION)
        expected = [f"features/sjlt2-8/output/{number}/{shard}" for number in range(3) for shard in SHARDS]
        assert list(dict.fromkeys(str(Path(file).parent) for file in files)) == expected
        assert len(files) == 12

    def test_a_window_has_no_targets(self):
        expected = [f"features/sjlt2-8/window-{step}/2/{shard}/train.json" for step in (70, 30) for shard in SHARDS]
        assert INPUTS["windows"].files(DIFFUSION) == expected
        assert INPUTS["windows"].costs(DIFFUSION) == [f"costs/{file}" for file in expected]

    def test_of_preconditioned_features_the_preconditioner_is_paid_once(self):
        settings = DIFFUSION | {"projection": PRECONDITIONED}
        costs = INPUTS["checkpoints"].costs(settings)
        assert [cost for cost in costs if "preconditioners" in cost] == [
            f"costs/preconditioners/kronecker-5-0.5/{number}/{shard}.json" for number in range(3) for shard in SHARDS
        ]
        assert len(costs) == 12 + 6
        assert INPUTS["windows"].costs(settings) == [
            *(f"costs/{file}" for file in INPUTS["windows"].files(settings)),
            *(f"costs/preconditioners/kronecker-5-0.5/2/{shard}.json" for shard in SHARDS),
        ]

    def test_the_estimation_bank(self):
        shards = ["00000-00003", "00003-00006"]
        found = INPUTS["estimation"]
        expected = ["subsets/estimation.npy", *(f"outputs/estimation/{s}.npy" for s in shards)]
        assert found.files(CLASSIFICATION) == expected
        assert found.costs(CLASSIFICATION) == [f"costs/outputs/estimation/{s}.json" for s in shards]

    def test_one_file_a_differentiated_run(self):
        found = INPUTS["metagradients"]
        assert found.files(CLASSIFICATION) == [f"metagradients/full/{run}.json" for run in range(2)]
        assert found.costs(CLASSIFICATION) == [f"costs/metagradients/full/{run}.json" for run in range(2)]

    def test_a_derivative_taken_elsewhere_is_not_paid_for(self):
        settings = CLASSIFICATION | {"metagradient": {"runs": 1, "at": ["full", "middle"]}}
        found = INPUTS["metagradients"].paid(settings, {"at": "middle"})
        assert found == ["costs/metagradients/middle/0.json"]
        assert INPUTS["features"].paid(settings, {}) == INPUTS["features"].costs(settings)

    @pytest.mark.parametrize("kind", ["ekfac", "ekfac_cg"])
    def test_one_file_a_member_whose_curvature_is_used(self, kind):
        found = INPUTS[kind]
        assert found.files(CLASSIFICATION) == [f"influences/{kind}/{member}.json" for member in (0, 1)]
        assert found.costs(CLASSIFICATION) == [f"costs/influences/{kind}/{member}.json" for member in (0, 1)]
        assert len(found.files(CLASSIFICATION | {"curvature": {"members": 9}})) == 3

    def test_whose_models_they_are_made_of(self):
        of = {name: found.ensemble(DIFFUSION) for name, found in INPUTS.items()}
        assert of == {
            **dict.fromkeys(("features", "checkpoints", "norm", "windows", "ekfac", "ekfac_cg"), "members"),
            "representations": "domain",
            "estimation": "estimation",
            **dict.fromkeys(("metagradients", "examples", "texts", "captions", "labels")),
        }
        assert INPUTS["representations"].ensemble(CLASSIFICATION) == "members"


class TestWhatAMethodPaysFor:
    """The models that were trained for it, each once, and what was made of them."""

    @staticmethod
    def paid(name, settings):
        reads = [INPUTS[read] for read in methods_of(settings | {"methods": [name]})[name].method.reads]
        ensembles = {read.ensemble(settings) for read in reads} - {None}
        made = {re.sub(r"/\d.*", "", cost.removeprefix("costs/")) for read in reads for cost in read.costs(settings)}
        return ensembles, made

    @pytest.mark.parametrize("settings", [CLASSIFICATION, DIFFUSION], ids=lambda s: s["task"])
    @pytest.mark.parametrize(
        ("name", "ensemble", "made"),
        [
            ("trak", "members", "features/sjlt2-8/output"),
            ("gradient_dot", "members", "features/sjlt2-8/output"),
            ("gradient_cosine", "members", "features/sjlt2-8/output"),
            ("tracin", "members", "features/sjlt2-8/output"),
            ("empirical_influence", "estimation", "outputs/estimation"),
            ("datamodel", "estimation", "outputs/estimation"),
            ("ekfac", "members", "influences/ekfac"),
            ("ekfac_cg", "members", "influences/ekfac_cg"),
        ],
    )
    def test_whatever_the_task(self, name, ensemble, made, settings):
        assert self.paid(name, settings) == ({ensemble}, {made})

    @pytest.mark.parametrize("name", ["metagradient", "journey_metagradient"])
    def test_runs_of_their_own_and_no_models(self, name):
        assert self.paid(name, DIFFUSION) == (set(), {"metagradients/full"})

    @pytest.mark.parametrize("name", ["pixel", "random", "pixel_journey"])
    def test_nothing(self, name):
        assert self.paid(name, DIFFUSION) == (set(), set())

    def test_representations_of_a_classifier_that_is_no_member(self):
        assert self.paid("representation", CLASSIFICATION) == ({"members"}, {"representations.json"})
        assert self.paid("representation", DIFFUSION) == ({"domain"}, {"representations.json"})

    def test_of_diffusion(self):
        output, norm, *windows = (f"features/sjlt2-8/{name}" for name in ("output", "norm", "window-70", "window-30"))
        assert self.paid("journey_trak", DIFFUSION) == ({"members"}, {output})
        assert self.paid("journey_window", DIFFUSION) == ({"members"}, {output, *windows})
        for name in ("d_trak", "journey_d_trak"):
            assert self.paid(name, DIFFUSION) == ({"members"}, {norm})


OF_SCORES = ("metagradients", "ekfac", "ekfac_cg")  # a row a target in all of their arrays


class TestCuts:
    @pytest.fixture(params=[slice(7, None), slice(0, 3), np.array([6, 0, 3])], ids=str)
    def index(self, request):
        return request.param

    @pytest.mark.parametrize("name", INPUTS)
    def test_of_targets(self, journey_material, name, index):
        """Every array has either a row a training example, which stay, or a row a target, which are cut."""
        whole = journey_material()
        whole = whole.replace(labels=(np.arange(12), np.arange(10)), checkpoints=[whole.features, whole.norm])
        before, after = ({}, {})
        for found, value in ((before, whole.inputs[name]), (after, INPUTS[name].of_targets(whole.inputs[name], index))):
            for place, array in arrays_of(value):
                found[place] = array
        assert before.keys() == after.keys()
        cut = 0
        for place, array in before.items():
            if "targets" in place or "seen" in place or name in OF_SCORES:
                cut += 1
                np.testing.assert_array_equal(after[place], array[index])
            elif "outputs" in place:
                cut += 1
                np.testing.assert_array_equal(after[place], array[:, index])
            else:
                np.testing.assert_array_equal(after[place], array)
        assert cut > 0 or name == "windows"

    @pytest.mark.parametrize("name", INPUTS)
    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_of_models(self, material, name, count):
        found, whole = INPUTS[name], material.inputs[name]
        part = found.of_models(whole, count)
        if name in ("examples", "texts", "captions", "labels", "estimation"):
            assert part is whole
            assert len(found.models(whole)) == 0
        else:
            assert list(found.models(part)) == list(found.models(whole))[:count]
            assert len(found.models(part)) == min(count, 3)

    def test_every_checkpoint_and_window_is_cut(self, material):
        for name, count in (("checkpoints", 2), ("windows", 2), ("ekfac", 2), ("ekfac_cg", 2)):
            part = INPUTS[name].of_models(material.inputs[name], 2)
            assert [len(entries) for entries in (part if name == "checkpoints" else part.values())] == [2] * count

    def test_models_of_nothing(self):
        nothing = {"checkpoints": [], "windows": {}, "ekfac": {}}
        assert [len(INPUTS[name].models(value)) for name, value in nothing.items()] == [0] * 3

    def test_labels_where_there_are_none(self):
        assert INPUTS["labels"].of_targets(None, slice(0, 1)) is None


def arrays_of(value, place=""):
    """Yield (place, array) of all that an input holds; of pairs the second part belongs to targets."""
    if isinstance(value, np.ndarray):
        yield place, value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from arrays_of(getattr(value, field.name), f"{place}/{field.name}")
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from arrays_of(part, f"{place}/{key}")
    elif isinstance(value, tuple):
        yield from zip((f"{place}/train", f"{place}/targets"), value, strict=True)
    elif isinstance(value, list):
        for key, part in enumerate(value):
            yield from arrays_of(part, f"{place}/{key}")


class TestInputsOf:
    def of(self, *items):
        return inputs_of(list(methods_of({"task": "image_diffusion", "methods": list(items)}).values()))

    def test_in_order_once_each(self):
        assert self.of("journey_window", "trak", "pixel") == ["features", "windows", "examples", "labels"]
        assert self.of("random") == self.of() == []

    def test_the_bank_where_options_are_chosen(self):
        tuned = {"method": "trak", "options": {"ridge": [0.1, 1.0]}}
        assert self.of(tuned) == ["features", "estimation"]
        assert self.of(tuned | {"options": {"ridge": [0.1]}}) == ["features"]
        assert self.of("datamodel", tuned) == ["estimation", "features"]

    def test_of_an_array_of_scores(self):
        assert self.of({"name": "given", "scores": "given.npy"}) == []


def test_asking_for_files_imports_nothing_heavy(environment):
    code = (
        "import sys, trakway.attribution.inputs; print([m for m in ('numpy', 'pandas', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
