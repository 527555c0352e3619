import numpy as np
import pytest

from trakway.attribution.inputs import INPUTS
from trakway.config import load_experiment
from trakway.config.methods import check_methods, with_own_files
from trakway.errors import UserError
from trakway.plan import allowed_methods, methods_of, modalities

LISTED = {name: ", ".join(allowed_methods(modality)) for name, modality in modalities().items()}
OWN = "from trakway.plan import Method\nMETHOD = Method({})\n\n\ndef score(material, out):\n    out[:] = 0\n"


@pytest.fixture
def own(tmp_path):
    """Write a method of one's own; returns what an experiment calls it."""

    def own(declaration="", name="mine"):
        (tmp_path / f"{name}.py").write_text(OWN.format(declaration))
        return f"{tmp_path / name}.py:score"

    return own


def told(methods, task="image_classification"):
    with pytest.raises(UserError) as caught:
        check_methods({"task": task, "methods": methods})
    return str(caught.value)


class TestMessages:
    @pytest.mark.parametrize(
        ("task", "name"),
        [("image_classification", "journey_trak"), ("image_classification", "d_trak"), ("image_diffusion", "tracin")],
    )
    def test_a_method_of_another_task(self, task, name):
        assert told(["trak", name], task).startswith(
            f"methods: found {name}, which is not for the task {task}; allowed: {LISTED[task]}. "
        )

    def test_the_nearest_method_of_the_task_is_named(self):
        assert told(["tracin", "trak"], "image_diffusion").endswith('Did you mean "trak"? Replace it, or take it out.')

    def test_one_of_ones_own_that_reads_what_the_task_has_not(self, own):
        assert "methods: found mine, which is not for the task" in told([own('reads=("norm",)')])
        check_methods({"task": "image_diffusion", "methods": [own('reads=("norm",)')]})
        assert "methods: found other, which is not for" in told([own('without=("steps",)', "other")], "image_diffusion")
        assert "methods: found third, which is not for" in told([own('needs=("border",)', "third")], "image_diffusion")

    def test_an_input_that_there_is_not(self, own):
        method = own('reads=("fetures",)')
        assert told([method]) == (
            f"{method.removesuffix(':score')}: METHOD: reads: found fetures; allowed: {', '.join(INPUTS)}. "
            'Did you mean "features"? '
        )

    def test_an_array_that_is_not_there(self, tmp_path):
        item = {"name": "given", "scores": str(tmp_path / "given.npy")}
        assert told([item]).startswith(f"methods: given: scores: found no file {tmp_path}/given.npy; allowed:")
        np.save(tmp_path / "given.npy", np.zeros(3))
        check_methods({"task": "image_classification", "methods": [item]})

    def test_the_name_of_the_control_is_taken(self, own, tmp_path):
        np.save(tmp_path / "given.npy", np.zeros(3))
        check_methods({"task": "image_classification", "methods": ["random"]})
        for item in (
            own(name="random"),
            {"name": "random", "method": own()},
            {"name": "random", "method": "pixel"},
            {"name": "random", "scores": str(tmp_path / "given.npy")},
        ):
            assert told([item]).startswith("methods: found another method called random, the control's name")

    @pytest.mark.parametrize(
        ("option", "words"),
        [
            ({"weights": "no"}, 'weights: found "no"; allowed: true or false. '),
            ({"average": "papr"}, 'average: found "papr"; allowed: one of paper, joint. '),
            ({"ridge": [1, -1]}, "ridge: found -1; allowed: a number >= 0. "),
            ({"ridge": "a"}, 'ridge: found "a"; allowed: a number >= 0. '),
            ({"soft_threshold": -1}, "soft_threshold: found -1; allowed: a number >= 0. "),
        ],
    )
    def test_values_of_options(self, option, words):
        assert told([{"method": "trak", "options": option}]).startswith(f"methods: trak: options: {words}")

    @pytest.mark.parametrize("written", ["", "material", "material, out, power"])
    def test_a_function_that_cannot_be_called(self, tmp_path, written):
        (tmp_path / "mine.py").write_text(OWN.format("").replace("score(material, out)", f"score({written})"))
        said = told([f"{tmp_path}/mine.py:score"])
        assert said.endswith("score: allowed: two parameters, and options by name alone: "
                             "def score(material, out, *, option=1.0)")  # fmt: skip

    def test_functions_that_can_be(self, tmp_path):
        for written in ("a, b", "a, b, c=1", "a, *rest", "a, b, /", "a=1, b=2"):
            (tmp_path / "mine.py").write_text(OWN.format("").replace("score(material, out)", f"score({written})"))
            check_methods({"task": "image_classification", "methods": [f"{tmp_path}/mine.py:score"]})

    def test_what_is_nearly_a_trait(self, own):
        said = told([own('needs=("stepz",)')])
        assert said.startswith("methods: mine: METHOD: needs, without: found stepz; allowed: border, ")
        assert said.endswith('Did you mean "steps"? ')
        assert "methods: found other, which is not for the task" in told([own('needs=("wings",)', "other")])

    def test_where_the_derivative_is_taken(self):
        said = told([{"method": "metagradient", "options": {"at": "memebrs"}}])
        assert 'at: found "memebrs"; allowed: one of full, middle, members.' in said
        assert 'Did you mean "members"?' in said
        check_methods({"task": "image_classification", "methods": [
            {"method": "metagradient", "options": {"at": ["full", "middle"], "start": [0, 0.5]}}
        ]})  # fmt: skip

    def test_options_of_ones_own_are_like_their_defaults(self, tmp_path):
        lines = OWN.format("").replace("out):", "out, *, flag=False, power=2, shares=(1, 2), at='here'):")
        (tmp_path / "mine.py").write_text(lines)
        item = {"method": f"{tmp_path}/mine.py:score"}
        for option, words in (
            ({"flag": "no"}, 'flag: found "no"; allowed: true or false. Change it, or leave it out for false.'),
            ({"power": "three"}, 'power: found "three"; allowed: a number. Change it, or leave it out for 2.'),
        ):
            assert told([item | {"options": option}]) == f"methods: mine: options: {words}"
        options = {"flag": True, "power": [1, 2.5], "shares": [[3]], "at": "members"}
        check_methods({"task": "image_classification", "methods": [item | {"options": options}]})

    @pytest.mark.parametrize("task", LISTED)
    def test_all_that_a_task_allows_are_allowed(self, task):
        check_methods({"task": task, "methods": allowed_methods(modalities()[task])})


class TestInAnExperiment:
    def test_faults_are_told_with_the_file(self, write):
        path = write({"methods": ["trka"]})
        with pytest.raises(UserError) as caught:
            load_experiment(path, "demo")
        (line,) = str(caught.value).splitlines()
        assert line.startswith(
            f"{path}: methods[0]: found trka; allowed: {LISTED['image_classification']}, FILE.py:FUN"
        )
        assert 'Did you mean "trak"?' in line

    def test_beside_faults_of_other_kinds(self, write):
        """Those of the schema; what settings mean together is told once the methods are known."""
        path = write({"methods": ["trka"], "tiers": {"paper": {"members": {"count": 0}}}})
        with pytest.raises(UserError) as caught:
            load_experiment(path, "demo")
        assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
            "tiers.paper.members.count", "methods[0]"
        ]  # fmt: skip

    def test_files_are_beside_the_experiment(self, write, own, tmp_path, monkeypatch):
        own()
        np.save(tmp_path / "given.npy", np.zeros(3))
        items = ["trak", "mine.py:score", {"name": "a", "method": "./mine.py:score"}, {"name": "b", "method": "trak"}]
        items.append({"name": "c", "scores": "given.npy"})
        path = write({"methods": items})
        settings = load_experiment(path, "demo")
        chosen = methods_of(settings)
        assert list(chosen) == ["trak", "mine", "a", "b", "c"]
        assert chosen["mine"].file == chosen["a"].file == tmp_path / "mine.py"
        assert chosen["c"].scores == str(tmp_path / "given.npy")
        monkeypatch.chdir(tmp_path.parent)
        nearer = methods_of(load_experiment(path, "demo"))
        assert str(nearer["mine"].file) == f"{tmp_path.name}/mine.py"


def test_items_are_not_changed(tmp_path):
    items = ["trak", {"method": "a.py:b", "options": {}}]
    found = with_own_files(items, tmp_path)
    assert items == ["trak", {"method": "a.py:b", "options": {}}]
    assert found == ["trak", {"method": f"{tmp_path}/a.py:b", "options": {}}]
    assert with_own_files(None, tmp_path) is None
