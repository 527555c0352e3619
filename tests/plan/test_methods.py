from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway import plan
from trakway.attribution.inputs import INPUTS
from trakway.errors import UserError
from trakway.plan import Chosen, Method, library_methods, methods_of, modalities
from trakway.plan.methods import CONTROL, FOLDER, NAME

ESTIMATORS = {"trak", "journey_trak", "journey_window", "d_trak", "journey_d_trak"}
JOURNEY = {"journey_trak", "journey_window", "d_trak", "journey_d_trak", "pixel_journey", "journey_metagradient"}
CURVATURE = {"ekfac", "ekfac_cg"}
ON_REQUEST = {"metagradient", "journey_metagradient", *CURVATURE}
SCORES = {"ridge": [0.1, 1.0], "soft_threshold": [0.0], "weights": True, "average": "paper"}


def of(*items, task="image_classification", **sections):
    return methods_of({"task": task, "methods": list(items), **sections})


def test_how_many_models_count():
    item = {"name": "one", "method": "trak", "members": 1}
    found = of(item)["one"]
    assert (found.members, found.settings()["members"]) == (1, 1)
    assert of("trak")["trak"].members is None


class TestLibrary:
    def test_of_the_tasks(self):
        classification, diffusion = (
            plan.allowed_methods(modalities()[f"image_{n}"]) for n in ("classification", "diffusion")
        )
        assert set(diffusion) - set(classification) == JOURNEY
        assert set(classification) - set(diffusion) == {"tracin"}
        texts = plan.allowed_methods(modalities()["text_classification"])
        assert set(classification) - set(texts) == {"pixel"}
        assert set(texts) - set(classification) == {"bm25", "tfidf"}
        latents = plan.allowed_methods(modalities()["latent_diffusion"])
        assert set(latents) - set(diffusion) == {"caption"}
        assert set(diffusion) < set(latents)
        assert {*classification, *diffusion, *texts, *latents} == set(library_methods())
        assert (classification[0], diffusion[0]) == ("trak", "journey_trak")
        assert classification[-1] == diffusion[-1] == [*library_methods()][-1] == CONTROL

    def test_steps_only(self):
        settings = {"task": "image_diffusion", "methods": None}
        assert set(plan.steps_only(settings)) == JOURNEY - {"d_trak"} - ON_REQUEST
        assert set(plan.steps_only(settings | {"methods": [*JOURNEY, "metagradient"]})) == JOURNEY - {"d_trak"}

    def test_on_request(self):
        assert {name for name, method in library_methods().items() if method.on_request} == ON_REQUEST
        for modality in modalities().values():
            allowed, default = plan.allowed_methods(modality), plan.default_methods(modality)
            assert default == [name for name in allowed if name not in ON_REQUEST]
            assert {"metagradient", *CURVATURE} <= set(allowed)

    def test_per_step_are_those_that_look_at_the_entry_and_not_the_image(self):
        by_image = {"trak", "d_trak", "representation", "pixel", "random", "tracin", "bm25", "tfidf", "caption"}
        by_image |= {"metagradient"}
        assert {name for name, method in library_methods().items() if method.per_step} == set(
            library_methods()
        ) - by_image
        settings = {"task": "image_diffusion", "methods": ["trak", "datamodel", "journey_trak", "pixel"]}
        assert plan.step_methods(settings) == ["datamodel", "journey_trak"]

    @pytest.mark.parametrize(
        ("method", "reads"),
        [
            ("trak", ("features",)),
            ("journey_trak", ("features",)),
            ("journey_window", ("features", "windows")),
            ("d_trak", ("norm",)),
            ("journey_d_trak", ("norm",)),
            ("tracin", ("checkpoints",)),
            ("representation", ("representations", "labels")),
            ("pixel", ("examples", "labels")),
            ("pixel_journey", ("examples",)),
            ("datamodel", ("estimation",)),
            ("metagradient", ("metagradients",)),
            ("journey_metagradient", ("metagradients",)),
            ("ekfac", ("ekfac",)),
            ("ekfac_cg", ("ekfac_cg",)),
            ("random", ()),
        ],
    )
    def test_reads(self, method, reads):
        assert library_methods()[method].reads == reads

    @pytest.mark.parametrize("key", ["label", "color", "marker"])
    def test_no_two_look_alike(self, key):
        values = [getattr(method, key) for method in library_methods().values()]
        assert all(values)
        assert len(set(values)) == len(values)

    @pytest.mark.parametrize("name", library_methods())
    def test_declarations(self, name):
        method = library_methods()[name]
        assert set(method.reads) <= set(INPUTS)
        assert method.per_step or not method.steps_only
        traits = {trait for modality in modalities().values() for trait in modality.traits}
        assert set(method.needs) | set(method.without) <= traits
        for modality in modalities().values():  # where it is allowed there is what it reads
            assert all(
                modality.has(INPUTS[read].needs) for read in method.reads if modality.has(method.needs, method.without)
            )

    def test_options_are_those_of_the_estimator(self):
        options = {name: tuple(chosen.options) for name, chosen in of(*library_methods()).items()}
        expected = {name: tuple(SCORES) if name in ESTIMATORS else () for name in options}
        expected |= {name: ("at", "start") for name in ("metagradient", "journey_metagradient")}
        assert options == expected | {name: ("damping",) for name in CURVATURE}


class TestChosen:
    def test_by_name(self):
        chosen = of("pixel", "trak")
        assert list(chosen) == ["pixel", "trak"]
        assert chosen["trak"] == Chosen(
            "trak",
            library_methods()["trak"],
            FOLDER / "trak.py",
            "score",
            {"ridge": 0.0, "soft_threshold": 0.0, "weights": True, "average": "paper"},
        )

    def test_options_come_from_the_item_then_from_scores_then_from_the_function(self):
        item = {"name": "other", "method": "trak", "options": {"ridge": 7.0}}
        chosen = of("trak", item, "pixel", scores={"ridge": [0.1, 1.0], "weights": False, "more": 1})
        kept = {"soft_threshold": 0.0, "weights": False, "average": "paper"}
        assert chosen["trak"].options == {"ridge": [0.1, 1.0]} | kept
        assert chosen["other"].options == {"ridge": 7.0} | kept
        assert chosen["pixel"].options == {}
        assert item["options"] == {"ridge": 7.0}

    def test_all_of_the_task_where_nothing_is_named(self):
        for task, modality in modalities().items():
            assert list(methods_of({"task": task, "methods": None})) == plan.default_methods(modality)
            assert plan.method_names({"task": task}) == plan.default_methods(modality)

    def test_only_a_method_with_a_choice_is_tuned(self):
        def tuned(**changes):
            return {name for name, chosen in of(*library_methods(), scores=SCORES | changes).items() if chosen.tuned}

        assert tuned() == ESTIMATORS
        assert tuned(ridge=[0.1]) == tuned(ridge=0.1) == set()
        assert tuned(ridge=[0.1], soft_threshold=[0.0, 1.0]) == ESTIMATORS
        assert tuned(ridge=0.1, damping=[0.1, 1.0]) == CURVATURE

    def test_an_array_of_scores(self):
        item = {"name": "given", "scores": "folder/given.npy", "cpu_seconds": 4.5}
        assert of(item) == {"given": Chosen("given", Method(), scores="folder/given.npy", cpu_seconds=4.5)}
        assert not of(item)["given"].tuned
        # What rows belong to a step is known to who made them.
        assert of({"name": "given", "scores": "a.npy"}, task="image_diffusion")["given"].method.per_step


OWN = """
from trakway.plan import Method

METHOD = Method(reads=("features",), per_step=True, label="Mine")


def score(material, out, *, power=2.0):
    raise SystemExit


def other(material, out, *, mode="a", ridge=1.0):
    raise SystemExit


def _hidden(material, out):
    raise SystemExit
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    return str(tmp_path / "mine.py")


class TestOwnFiles:
    def test_read_without_being_run(self, own):
        chosen = of(f"{own}:score", f"{own}:other", scores=SCORES)
        method = Method(("features",), per_step=True, label="Mine")
        assert chosen == {
            "mine": Chosen("mine", method, Path(own), "score", {"power": 2.0}),
            "other": Chosen("other", method, Path(own), "other", {"mode": "a", "ridge": [0.1, 1.0]}),
        }

    def test_under_another_name(self, own):
        item = {"name": "second", "method": f"{own}:other", "options": {"mode": ["a", "b"]}}
        (chosen,) = of(item).values()
        assert (chosen.name, chosen.function, chosen.options) == ("second", "other", {"mode": ["a", "b"], "ridge": 1.0})
        assert chosen.tuned


class TestSettings:
    """`Chosen.settings` is an item that means the same whatever the other sections hold."""

    def test_come_back(self, own):
        array = {"name": "given", "scores": "given.npy", "cpu_seconds": 3.0}
        renamed = {"name": "second", "method": "trak", "options": {"ridge": 4.0}}
        items = [*library_methods(), renamed, f"{own}:score", {"name": "mine_2", "method": f"{own}:other"}, array]
        for task in modalities():
            chosen = of(*items, task=task, scores=SCORES)
            for name, method in chosen.items():
                for scores in ({}, {"scores": {"ridge": [5.0], "average": "joint", "mode": "z"}}):
                    assert of(method.settings(), task=task, **scores) == {name: method}

    @given(st.sampled_from(sorted(ESTIMATORS)), st.lists(st.floats(0, 9), min_size=1), st.booleans())
    def test_of_any_options_come_back(self, name, ridge, weights):
        (chosen,) = of({"method": name, "options": {"ridge": ridge, "weights": weights}}).values()
        assert of(chosen.settings(), scores=SCORES) == {name: chosen}

    def test_score_settings_are_of_the_method_alone(self):
        settings = {"seed": 3, "task": "image_classification", "scores": SCORES | {"more": 1}, "other": 2}
        settings["methods"] = ["pixel", "trak"]
        for name, options in (("trak", SCORES), ("pixel", {})):
            item = {"name": name, "method": name, "options": options}
            assert plan.score_settings(name, settings) == {"seed": 3, "task": settings["task"], "methods": [item]}


def told(*items, task="image_classification", **sections):
    with pytest.raises(UserError) as caught:
        of(*items, task=task, **sections)
    return str(caught.value)


class TestMistakes:
    def test_an_unknown_name(self):
        message = told("pixel", "trka", task="image_diffusion")
        allowed = ", ".join(plan.allowed_methods(modalities()["image_diffusion"]))
        assert message.startswith(
            f"methods[1]: found trka; allowed: {allowed}, FILE.py:FUNCTION for a method of your own"
        )
        assert message.endswith('Did you mean "trak"? ')

    def test_two_of_one_name(self, own):
        for items in (["trak", "trak"], ["trak", {"method": "trak", "options": {"ridge": 1.0}}]):
            assert told(*items).startswith("methods[1]: found a second method trak; allowed: one of a name. Give it")
        assert told({"name": "mine", "scores": "a.npy"}, f"{own}:score").startswith(
            "methods[1]: found a second method mine"
        )

    @pytest.mark.parametrize("item", [{}, {"name": "a"}, {"options": {}}])
    def test_neither_a_method_nor_scores(self, item):
        assert "allowed: method (a name or FILE.py:FUNCTION), or name and scores" in told(item)

    @pytest.mark.parametrize("item", [{"scores": "a.npy"}, {"name": "a", "scores": "a.npy", "method": "trak"}])
    def test_scores_without_a_name_or_with_a_method(self, item):
        assert "allowed: name and scores, and no method, for an array of scores" in told(item)

    def test_an_unknown_option(self, own):
        message = told({"method": "trak", "options": {"rigde": 1.0}})
        allowed = "ridge, soft_threshold, weights, average, the keyword"
        assert f"methods[0]: options: found rigde; allowed: {allowed}" in message
        assert message.endswith('Did you mean "ridge"? ')
        assert "found power; allowed: none" in told({"method": "pixel", "options": {"power": 1}})
        assert "found mode; allowed: power" in told({"method": f"{own}:score", "options": {"mode": "a"}})

    def test_no_candidate(self):
        message = "methods[0]: options: ridge: found no candidate; allowed: a value, or a list of one or more"
        assert told({"method": "trak", "options": {"ridge": []}}) == message

    def test_a_file_that_is_none_of_python(self):
        assert "FILE.py:FUNCTION" in told("mine.txt:score")

    def test_a_file_that_is_not_there(self, tmp_path):
        assert told(f"{tmp_path}/none.py:score").startswith(f"{tmp_path}/none.py: cannot be read")

    def test_a_function_that_is_not_there(self, own):
        assert told(f"{own}:othre").endswith(
            'found no function othre; allowed: score, other, _hidden. Did you mean "other"? '
        )

    def test_a_file_without_a_declaration(self, tmp_path):
        (tmp_path / "bare.py").write_text("def score(material, out):\n    pass\n")
        message = told(f"{tmp_path}/bare.py:score")
        assert message.startswith(
            f"{tmp_path}/bare.py: found no line METHOD = Method(...); allowed: one that says what"
        )
        assert 'METHOD = Method(reads=("features",)); add it, and `from trakway.plan import Method` above' in message

    def test_a_name_that_names_no_files(self, own, tmp_path):
        assert told(f"{own}:_hidden").startswith("methods[0]: found the name _hidden; allowed: a letter, then letters")
        (tmp_path / "my-method.py").write_text(OWN)
        message = told(f"{tmp_path}/my-method.py:score")
        assert message.endswith(f"Give one: {{name: ..., method: {tmp_path}/my-method.py:score}}")
        assert list(of({"name": "my", "method": f"{tmp_path}/my-method.py:score"})) == ["my"]

    def test_names_are_those_that_the_schema_allows(self):
        from trakway.config.schemas import load_schema

        item = load_schema("experiment")["properties"]["methods"]["items"]["properties"]
        assert item["name"]["pattern"] == f"^{NAME.pattern}$"
