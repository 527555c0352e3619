import dataclasses

import numpy as np
import pytest

from trakway.attribution import scoring
from trakway.attribution.methods import gradient_dot, trak
from trakway.attribution.scoring import read_scores, run_method, score_function
from trakway.attribution.values import EstimationBank
from trakway.errors import UserError
from trakway.metrics.lds import lds_per_target, predicted
from trakway.plan import allowed_methods, library_methods, methods_of, modalities

EVALUATED = 4  # of the material's 7 targets; the other three are for tuning
SCORES = {"ridge": [0.01, 1.0, 100.0], "soft_threshold": [0.0], "weights": True, "average": "paper"}


def run(method, material, scores=SCORES, evaluated=EVALUATED):
    (chosen,) = methods_of({"task": "image_classification", "methods": [method], "scores": scores}).values()
    out = np.full((evaluated, material.size), np.nan, np.float32)
    record = run_method(chosen, material.replace(cache={}), evaluated, out)
    return out, record


def with_outputs(material, outputs):
    return material.replace(estimation=EstimationBank(material.estimation.masks, outputs))


def test_the_function_of_a_method_of_the_library(chosen):
    assert score_function(chosen("gradient_dot")) is gradient_dot.score


@pytest.fixture
def plant(material):
    """Make the tuning targets' outputs follow TRAK at one ridge exactly."""

    def call(ridge, **options):
        scores = np.empty((material.targets, material.size), np.float32)
        trak.score(material, scores, ridge=ridge, **options)
        bank = material.estimation
        outputs = np.random.default_rng(1).standard_normal(bank.outputs.shape)
        outputs[:, EVALUATED:] = predicted(scores, bank.masks)[:, EVALUATED:]
        return with_outputs(material, outputs)

    return call


@pytest.mark.parametrize("ridge", SCORES["ridge"])
def test_the_planted_ridge_is_chosen_and_used(plant, ridge):
    material = plant(ridge)
    out, record = run("trak", material)
    expected = np.empty((EVALUATED, material.size), np.float32)
    trak.score(material.of_targets(slice(0, EVALUATED)), expected, ridge=ridge)
    np.testing.assert_array_equal(out, expected)
    assert record["ridge"] == ridge
    options = {"ridge": ridge, "soft_threshold": 0.0, "weights": True, "average": "paper"}
    assert record["options"] == options
    best = max(record["tuning"], key=lambda entry: entry["lds"])
    assert (best["ridge"], best["lds"]) == (ridge, pytest.approx(1))
    assert [entry["ridge"] for entry in record["tuning"]] == SCORES["ridge"]


def test_a_soft_threshold_is_chosen_with_it(plant):
    material = plant(1.0, soft_threshold=1.0, weights=False)
    scores = SCORES | {"soft_threshold": [0.0, 1.0], "weights": False}
    _, record = run("trak", material, scores)
    assert (record["ridge"], record["options"]["soft_threshold"]) == (1.0, 1.0)
    assert record["options"]["weights"] is False
    assert len(record["tuning"]) == 6


def test_evaluated_targets_have_no_say_in_the_choice(plant, monkeypatch):
    """Outputs and features of the evaluated targets become anything: the choice and its LDS stay as they were."""
    material = plant(1.0)
    _, before = run("trak", material)
    outputs = material.estimation.outputs.copy()
    # What would be chosen if they were looked at: another ridge, with an LDS of 1 on more targets than are for tuning.
    scores = np.empty((material.targets, material.size), np.float32)
    trak.score(material, scores, ridge=100.0)
    outputs[:, :EVALUATED] = predicted(scores, material.estimation.masks)[:, :EVALUATED]
    _, after = run("trak", with_outputs(material, outputs))
    assert after == before
    features = [dataclasses.replace(entry, targets=entry.targets.copy()) for entry in material.features]
    for entry in features:
        entry.targets[:EVALUATED] = np.nan
    outputs[:, :EVALUATED] = np.nan
    spoilt = with_outputs(material.replace(features=features), outputs)
    with pytest.raises(
        UserError, match=r"^trak: the score of target entry 0 for training example 0 is nan; allowed: finite numbers"
    ):
        run("trak", spoilt)
    monkeypatch.setattr(scoring, "_require_finite", lambda *given: None)
    out, after = run("trak", spoilt)
    assert after == before
    assert np.isnan(out).all()


def test_tuning_targets_do(plant):
    chosen = {ridge: run("trak", plant(ridge))[1]["ridge"] for ridge in SCORES["ridge"]}
    assert chosen == {ridge: ridge for ridge in SCORES["ridge"]}


def test_scores_of_evaluated_targets_do_not_depend_on_the_tuning_targets_but_through_the_choice(plant):
    material = plant(1.0)
    one, _ = run("trak", material)
    other, _ = run("trak", material.of_targets(slice(0, EVALUATED)), SCORES | {"ridge": [1.0]})
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_one_candidate_needs_no_tuning_targets_and_no_bank(material):
    bare = material.of_targets(slice(0, EVALUATED)).only(("features",))
    for ridge in ([0.1], 0.1):  # a list of one, or the value itself
        _, record = run("trak", bare, SCORES | {"ridge": ridge})
        assert (record["ridge"], record["tuning"]) == (0.1, [])


WITH_OPTIONS = {"trak", "ekfac", "ekfac_cg", "metagradient"}


@pytest.mark.parametrize(
    "name", [name for name in allowed_methods(modalities()["image_classification"]) if name not in WITH_OPTIONS]
)
def test_methods_without_options_get_none(material, chosen, name):
    out, record = run(name, material)
    expected = np.empty_like(out)
    score_function(chosen(name))(material.of_targets(slice(0, EVALUATED)), expected)
    np.testing.assert_array_equal(out, expected)
    assert record["method"] == name
    assert (record["ridge"], record["options"], record["tuning"]) == (None, {}, [])


@pytest.mark.parametrize("name", ["ekfac", "ekfac_cg"])
def test_the_planted_damping_is_chosen_and_used(material, name):
    found = material.inputs[name]
    for damping in found:
        scores = np.mean(found[damping], axis=0, dtype=np.float64)
        outputs = np.random.default_rng(1).standard_normal(material.estimation.outputs.shape)
        outputs[:, EVALUATED:] = predicted(scores, material.estimation.masks)[:, EVALUATED:]
        out, record = run(name, with_outputs(material, outputs), SCORES | {"damping": list(found)})
        np.testing.assert_allclose(out, scores[:EVALUATED], rtol=1e-6)
        assert (record["options"], record["ridge"]) == ({"damping": damping}, None)
        assert [entry["damping"] for entry in record["tuning"]] == list(found)
    with pytest.raises(UserError, match=r"damping: found no 0.5, .*; allowed: 0.1, 1"):
        run(name, material, SCORES | {"damping": [0.5]})


@pytest.mark.parametrize(
    ("name", "members", "dim"),
    [
        ("trak", 3, 6),
        ("tracin", 3, 6),
        ("representation", 3, None),
        ("pixel", None, None),
        ("datamodel", None, None),
        ("metagradient", 3, None),
        ("ekfac", 3, None),
        ("random", None, None),
    ],
)
def test_record_says_what_was_used(material, chosen, name, members, dim):
    """With what the scores script loads for the method, and with all else beside it."""
    for part in (material, material.only(chosen(name).method.reads)):
        _, record = run(name, part, SCORES | {"ridge": [0.1]})
        assert (record["members"], record["dim"]) == (members, dim)


def test_record_of_methods_that_read_other_features(material, chosen, monkeypatch):
    monkeypatch.setattr(scoring, "score_function", lambda chosen: lambda material, out, **options: out.fill(0))
    norm = [dataclasses.replace(entry, train=entry.train[:, :5]) for entry in material.norm[:2]]
    for name in ("d_trak", "journey_d_trak"):
        _, record = run(name, material.replace(norm=norm), SCORES | {"ridge": [0.1]})
        assert (record["members"], record["dim"]) == (2, 5)
    _, record = run("journey_window", material, SCORES | {"ridge": [0.1]})
    assert (record["members"], record["dim"]) == (3, 6)
    for name, method in library_methods().items():
        without_models = set(method.reads) <= {"estimation", "examples", "texts", "captions", "labels"}
        assert len(scoring.entries_of(chosen(name), material)) == (0 if without_models else 3)


@pytest.mark.parametrize("final", [[0, 0, 2, 2, 4, 4, 6], [0, 0, 2, 2, 4, 5, 4], [0, 0, 2, 2, 4, 4, 4]], ids=str)
@pytest.mark.parametrize(
    ("name", "steps"), [("journey_trak", True), ("journey_window", True), ("trak", False), ("d_trak", False)]
)
def test_choice_is_made_on_entries_whose_scores_are_the_methods_own(material, monkeypatch, name, steps, final):
    """Ridge 1 is right for tuning entries with a timestep, ridge 100 for those without, whichever are more."""
    truths = {ridge: np.random.default_rng(int(ridge)).standard_normal((7, 30)) for ridge in SCORES["ridge"]}

    def score(material, out, ridge, **options):
        (read,) = {name: entries for name, entries in material.inputs.items() if name != "windows"}.values()
        out[:] = truths[ridge][read[0].targets]

    monkeypatch.setattr(scoring, "score_function", lambda chosen: score)
    whole = np.arange(7) == final
    masks = material.estimation.masks
    material = with_outputs(material, np.where(whole, predicted(truths[100.0], masks), predicted(truths[1.0], masks)))
    numbered = [dataclasses.replace(entry, targets=np.arange(7)) for entry in material.features]
    material = material.replace(features=numbered, norm=numbered, final=np.array(final))
    out, record = run(name, material)
    assert record["ridge"] == (1.0 if steps else 100.0)
    assert max(entry["lds"] for entry in record["tuning"]) == pytest.approx(1)
    np.testing.assert_array_equal(out, truths[record["ridge"]][:EVALUATED].astype(np.float32))
    _, record = run(name, material.replace(final=None))  # no entry has a step: all decide
    assert record["ridge"] == (100.0 if whole[EVALUATED:].sum() > 1 else 1.0)


def test_the_ridge_of_trak_is_chosen_for_whole_images(journey_material):
    """Though outputs at two steps of the tuning image follow TRAK at another ridge."""
    material = journey_material(n=30, dim=6, members=3)
    masks = np.random.default_rng(2).random((40, 30)) < 0.5
    truths = {}
    for ridge in (0.01, 100.0):
        scores = np.empty((10, 30), np.float32)
        trak.score(material, scores, ridge=ridge)
        truths[ridge] = predicted(scores, masks)
    for ridge, other in (truths, [*truths][::-1]):
        outputs = np.where(material.timesteps < 0, truths[ridge], truths[other])
        _, record = run("trak", material.replace(estimation=EstimationBank(masks, outputs)), evaluated=7)
        lds = {entry["ridge"]: entry["lds"] for entry in record["tuning"]}
        assert record["ridge"] == ridge
        assert lds[ridge] == pytest.approx(1)
        assert lds[other] < 0.999


def test_the_choice_is_the_one_of_the_highest_lds_by_hand(material):
    _, record = run("trak", material)
    by_hand = {}
    for ridge in SCORES["ridge"]:
        scores = np.empty((material.targets, material.size), np.float32)
        trak.score(material, scores, ridge=ridge)
        lds = lds_per_target(predicted(scores, material.estimation.masks), material.estimation.outputs)
        by_hand[ridge] = lds[EVALUATED:].mean()
    assert record["ridge"] == max(by_hand, key=by_hand.get)
    for entry in record["tuning"]:
        assert entry["lds"] == pytest.approx(by_hand[entry["ridge"]], abs=1e-6)


OWN = """
from beside import powered
from trakway.plan import Method

METHOD = Method(reads=("representations",))


def mine(material, out, *, power=1.0, sign=1):
    assert material.inputs.keys() == {"representations"}
    assert material.targets == len(out)
    train, targets = material.representations[0]
    out[:] = sign * powered(targets @ train.T, power)
"""


class TestOwnMethods:
    @pytest.fixture
    def own(self, tmp_path):
        (tmp_path / "beside.py").write_text("def powered(x, power):\n    return abs(x) ** power\n")
        (tmp_path / "file.py").write_text(OWN)
        return f"{tmp_path / 'file.py'}:mine"

    @pytest.mark.parametrize(("power", "sign"), [(1.0, -1), (3.0, 1)])
    def test_options_are_tuned(self, material, own, power, sign):
        train, targets = material.representations[0]
        scores = sign * np.abs(targets @ train.T) ** power
        outputs = predicted(scores, material.estimation.masks)
        outputs[:, :EVALUATED] = 0
        item = {"method": own, "options": {"power": [1.0, 3.0], "sign": [1, -1]}}
        out, record = run(item, with_outputs(material, outputs))
        np.testing.assert_allclose(out, scores[:EVALUATED], rtol=1e-5)
        assert record["options"] == {"power": power, "sign": sign}
        assert (record["method"], record["members"], record["dim"], record["ridge"]) == ("mine", 3, None, None)
        assert len(record["tuning"]) == 4

    def test_by_default_nothing_is_tuned(self, material, own):
        out, record = run(own, material.only(("representations",)))
        train, targets = material.representations[0]
        np.testing.assert_allclose(out, np.abs(targets[:EVALUATED] @ train.T), rtol=1e-5)
        assert (record["options"], record["tuning"]) == ({"power": 1.0, "sign": 1}, [])

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("return np.zeros(out.shape)", "score returned a ndarray; allowed: nothing, .* end it with out"),
            ("out = np.zeros(out.shape)", "target entry 0 for training example 0 is nan; .* write all of out"),
            ("out[:, :3] = 1", "target entry 0 for training example 3 is nan; .* write all of out"),
        ],
    )
    def test_scores_that_are_not_written(self, material, tmp_path, body, said):
        head = "import numpy as np\nfrom trakway.plan import Method\nMETHOD = Method()\n"
        (tmp_path / "unwritten.py").write_text(f"{head}def score(material, out):\n    {body}\n")
        with pytest.raises(UserError, match=f"^unwritten: .*{said}"):
            run(f"{tmp_path / 'unwritten.py'}:score", material)

    def test_scores_that_are_not_finite(self, material, tmp_path):
        (tmp_path / "spoilt.py").write_text(
            "from trakway.plan import Method\nMETHOD = Method()\n"
            "def score(material, out):\n    out[:] = 0\n    out[2, 7] = float('inf')\n"
        )
        message = "^spoilt: the score of target entry 2 for training example 7 is inf; allowed: finite numbers"
        with pytest.raises(UserError, match=message):
            run(f"{tmp_path / 'spoilt.py'}:score", material)


class TestArrays:
    @pytest.fixture
    def array(self, tmp_path):
        """Write an array as a method's scores; returns the item of ``methods``."""

        def array(values, name="given.npy"):
            np.save(tmp_path / name, values)
            return {"name": "given", "scores": str(tmp_path / name), "cpu_seconds": 3}

        return array

    @pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16])
    @pytest.mark.parametrize("rows", [EVALUATED, 7])
    def test_of_the_evaluated_or_of_all_entries(self, material, array, rows, kind):
        values = (100 * np.random.default_rng(0).standard_normal((rows, 30))).astype(kind)
        out, record = run(array(values), material)
        np.testing.assert_array_equal(out, values[:EVALUATED].astype(np.float32))
        assert record == {
            "method": "given", "members": None, "dim": None, "ridge": None, "options": {}, "tuning": []
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("values", "found"),
        [
            (np.zeros((5, 30)), "float64 5 × 30"),
            (np.zeros((EVALUATED, 29)), "float64 4 × 29"),
            (np.zeros((30, EVALUATED)), "float64 30 × 4"),
            (np.zeros(EVALUATED * 30), "float64 120"),
            (np.zeros((EVALUATED, 30), complex), "complex128 4 × 30"),
            (np.zeros((EVALUATED, 30), bool), "bool 4 × 30"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_of_another_shape_or_kind(self, material, array, values, found):
        with pytest.raises(UserError) as caught:
            run(array(values), material)
        assert f"given.npy: found {found}; allowed: real numbers 4 × 30 or 7 × 30: rows are" in str(caught.value)

    def test_one_shape_is_allowed_where_all_are_evaluated(self, array):
        item = array(np.zeros((3, 3)))
        (chosen,) = methods_of({"task": "image_diffusion", "methods": [item]}).values()
        with pytest.raises(UserError, match="real numbers 4 × 30: rows are"):
            read_scores(chosen, 4, 4, 30)

    @pytest.mark.parametrize("change", [lambda x: 1e5 + 1e-3 * x, lambda x: 1e-60 * x, lambda x: 1e300 * x])
    def test_whose_differences_float32_does_not_hold(self, material, array, change):
        values = np.random.default_rng(0).normal(size=(7, 30))
        run(array(values), material)
        run(array(np.full((7, 30), 0.1)), material)
        with pytest.raises(UserError, match="of target entry 0 lie between .*; subtract the mean of each row and resc"):
            run(array(change(values)), material)

    @pytest.mark.parametrize("value", [np.nan, -np.inf])
    def test_not_finite(self, material, array, value):
        values = np.zeros((7, 30))
        values[EVALUATED:] = np.nan  # is not looked at
        run(array(values), material)
        values[3, 21] = value
        with pytest.raises(
            UserError, match=rf"given\.npy: the score of target entry 3 for training example 21 is {value}"
        ):
            run(array(values), material)

    @pytest.mark.parametrize("spoil", ["missing", "text", "nothing", "objects", "several", "cut"])
    def test_what_is_no_array(self, material, array, tmp_path, spoil):
        item, path = array(np.zeros((EVALUATED, 30))), tmp_path / "given.npy"
        if spoil == "missing":
            path.unlink()
        elif spoil == "text":
            path.write_text("0,0\n")
        elif spoil == "nothing":
            path.write_bytes(b"")
        elif spoil == "objects":
            array(np.full((EVALUATED, 30), None))
        elif spoil == "several":
            np.savez(tmp_path / "given.npz", np.zeros((EVALUATED, 30)))
            (tmp_path / "given.npz").rename(path)
        else:
            path.write_bytes(path.read_bytes()[:-8])
        with pytest.raises(UserError, match=r"given\.npy: cannot be read \(.*allowed: an array saved by numpy\.save"):
            run(item, material)


def test_so_many_models_count_as_the_experiment_says(material, chosen):
    one = dataclasses.replace(chosen("gradient_dot"), members=1)
    fewer, whole = (np.empty((EVALUATED, material.size), np.float32) for _ in range(2))
    assert run_method(one, material, EVALUATED, fewer)["members"] == 1
    run_method(chosen("gradient_dot"), material.of_members(1), EVALUATED, whole)
    np.testing.assert_array_equal(fewer, whole)
