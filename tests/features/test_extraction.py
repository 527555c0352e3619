import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trakway import seeds
from trakway.errors import UserError
from trakway.features import extraction as features
from trakway.features.extraction import Extractor
from trakway.features.members import Member
from trakway.gradients import Preconditioner, build_preconditioner, per_example, precondition, shapes
from trakway.plan import feature_settings
from trakway.projection.build import build_projection
from trakway.storage import resumable
from trakway.tasks import build_task

SJLT = {"kind": "sjlt", "dim": 30, "nonzeros": 1}
KRONECKER = {"preconditioner": "kronecker", "preconditioner_examples": 10, "damping": 0.1}
TARGETS = np.array([3, 11, 0, 7, 19])


def extractor_of(task, members, projection, chunk, identity="any", trained=None):
    """Return an extractor, with preconditioners of the task that models were trained on where they are asked for."""

    def preconditioner(m):
        return build_preconditioner(projection, trained or task, members[m].load(), chunk)

    changes = preconditioner if "preconditioner" in projection else None
    return Extractor(task, members, projection, chunk, changes, identity)


@pytest.fixture
def extract(task, members, tmp_path):
    """Extract into a folder of its own; returns {name: array} and what `Extractor.write_train` returned."""

    def call(name="run", chunk=8, projection=SJLT, members=members, identity="any"):
        folder, extractor = tmp_path / name, extractor_of(task, members, projection, chunk, identity)
        result = extractor.write_train(folder)
        parameters, cost = extractor.write_targets(folder, TARGETS)
        assert not list(folder.glob(".*"))  # nothing half-written is left
        assert parameters == result[0]
        assert cost["cpu_seconds"] > 0
        return {path.stem: np.load(path) for path in folder.glob("*.npy")}, result

    return call


class TestFiles:
    def test_shapes(self, extract, models):
        arrays, (parameters, cost) = extract()
        assert {name: array.shape for name, array in arrays.items()} == {
            "train": (2, 40, 30),
            "weights": (2, 40),
            "targets": (2, 5, 30),
        }
        assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}
        assert parameters == sum(p.numel() for p in models[0].parameters())
        assert cost["cpu_seconds"] > 0

    def test_rows_are_the_gradients_of_the_right_examples(self, extract, models, task):
        """With no projection a feature is a gradient: by autograd, one example at a time."""
        arrays, _ = extract(projection={"kind": "identity", "dim": None})
        for m, model in enumerate(models):
            for name, batch in (("train", task.train_batch), ("targets", task.target_batch)):
                for row, index in enumerate(range(40) if name == "train" else TARGETS):
                    if row % 4:
                        continue
                    f = task.output(model, batch(np.array([index])))[0]
                    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(f, list(model.parameters()))])
                    np.testing.assert_allclose(
                        arrays[name][m, row], gradient, rtol=1e-4, atol=1e-5 * float(gradient.abs().max())
                    )

    def test_factored_features_are_those_of_the_gradients(self, extract, models):
        """Each member's by its own matrix, from its shapes, index and the seed."""
        arrays, _ = extract("factored", projection={"kind": "factored", "dim": 30})
        gradients, _ = extract("gradients", projection={"kind": "identity", "dim": None})
        for m, model in enumerate(models):
            seen = shapes(model, [name for name, _ in model.named_parameters()])
            project = build_projection({"kind": "factored", "dim": 30}, gradients["train"].shape[2], 0, 5 + m, seen)
            for name in ("train", "targets"):
                expected = project(torch.from_numpy(gradients[name][m])).numpy()
                np.testing.assert_allclose(arrays[name][m], expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
        assert np.array_equal(arrays["weights"], gradients["weights"])

    def test_preconditioned_features_are_those_of_changed_gradients(self, extract, models, task):
        arrays, _ = extract("changed", projection={"kind": "identity", "dim": None} | KRONECKER)
        gradients, _ = extract("gradients", projection={"kind": "identity", "dim": None})
        rows = np.sort(seeds.generator(task.seed, "preconditioner").permutation(40)[:10])
        for m, model in enumerate(models):
            change = precondition(task, model, rows, 0.1, 8)
            for name in ("train", "targets"):
                expected = change(torch.from_numpy(gradients[name][m])).numpy()
                np.testing.assert_allclose(arrays[name][m], expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
        assert np.array_equal(arrays["weights"], gradients["weights"])

    def test_weights_are_one_minus_p(self, extract, models, task):
        arrays, _ = extract()
        images, labels = task.train_batch(np.arange(40))
        for weights, model in zip(arrays["weights"], models, strict=True):
            with torch.no_grad():
                p = model(images).double().softmax(1)[torch.arange(40), labels]
            np.testing.assert_allclose(weights, 1 - p, rtol=1e-5)

    def test_each_member_has_its_own_projection_by_its_index(self, extract, models):
        twins = [Member(index, "any", lambda: models[0]) for index in (5, 6)]
        both, _ = extract("both", members=twins)
        alone, _ = extract("alone", members=twins[1:])
        assert np.abs(both["train"][0] - both["train"][1]).max() > 0.1 * np.abs(both["train"]).max()
        np.testing.assert_array_equal(both["train"][1], alone["train"][0])
        np.testing.assert_array_equal(both["weights"][0], both["weights"][1])


@pytest.mark.parametrize(
    "projection",
    [SJLT, SJLT | KRONECKER, {"kind": "rademacher", "dim": 30}, {"kind": "factored", "dim": 30}],
    ids=lambda p: p.get("preconditioner", p["kind"]),
)
def test_chunks_change_nothing_beyond_rounding(extract, projection):
    whole, _ = extract("whole", 1000, projection)
    for chunk in (1, 7, 40):
        found, _ = extract(f"chunk{chunk}", chunk, projection)
        for name, array in whole.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5 * np.abs(array).max())


@pytest.fixture(scope="module")
def unets(diffusion_task):
    models = [diffusion_task().new_model(seed).eval() for seed in (1, 2)]
    return [Member(3 + i, f"{i}", lambda model=model: model) for i, model in enumerate(models)]


def diffusion_features(task, members, folder, chunk=24, projection=SJLT, entries=(8, 3, 1, 0), trained=None):
    extractor = extractor_of(task, members, projection, chunk, trained=trained)
    extractor.write_train(folder)
    if entries:
        extractor.write_targets(folder, np.array(entries))
    return {path.stem: np.load(path) for path in folder.glob("*.npy")}


@pytest.fixture(scope="module")
def whole(diffusion_task, unets, tmp_path_factory):
    """All features of the UNets in one piece."""
    return diffusion_features(diffusion_task(), unets, tmp_path_factory.mktemp("whole"))


class TestDiffusion:
    """Features of UNets, whose f is a mean over draws that go through the model a piece at a time."""

    def test_rows_are_the_gradients_of_the_right_examples(self, diffusion_task, unets, tmp_path):
        for function in ("output", "norm"):
            task = diffusion_task(function)
            found = diffusion_features(
                task, unets[:1], tmp_path / function, projection={"kind": "identity", "dim": None}
            )
            model = unets[0].load()
            for rows, batch in (
                (found["train"][0, [7, 20]], task.train_batch(np.array([7, 20]))),
                (found["targets"][0], task.target_batch(np.array([8, 3, 1, 0]))),
            ):
                for row, f in zip(rows, task.output(model, batch), strict=True):
                    slopes = torch.autograd.grad(f, list(model.parameters()), retain_graph=True)
                    gradient = torch.cat([slope.flatten() for slope in slopes])
                    np.testing.assert_allclose(row, gradient, rtol=1e-3, atol=1e-4 * float(gradient.abs().max()))
            assert (found["weights"] == 1).all()  # f is minus the loss

    @given(chunk=st.integers(1, 24), rows=st.integers(1, 20), shards=st.booleans())
    @settings(max_examples=4)
    def test_the_cut_changes_nothing_beyond_rounding(
        self, diffusion_task, unets, whole, tmp_path_factory, chunk, rows, shards
    ):
        folder = tmp_path_factory.mktemp("cut")
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(per_example.ROWS, "cpu", rows)
            parts = [
                diffusion_features(diffusion_task(), members, folder / members[0].file, chunk)
                for members in ([unets[:1], unets[1:]] if shards else [unets])
            ]
        for name, array in whole.items():
            found = np.concatenate([part[name] for part in parts])
            np.testing.assert_allclose(found, array, rtol=1e-4, atol=1e-4 * np.abs(array).max())

    def test_all_functions_can_share_the_preconditioner_of_the_loss(self, diffusion_task, unets, tmp_path):
        """So that features of a window, or of the norm, can be compared with those of targets."""
        identity = {"kind": "identity", "dim": None}
        loss, rows = diffusion_task(), np.sort(seeds.generator(0, "preconditioner").permutation(24)[:10])
        change = precondition(loss, unets[0].load(), rows, 0.1, 24)
        for function in ("norm", "window-4"):
            task = diffusion_task(function)
            found, gradients = (
                diffusion_features(task, unets[:1], tmp_path / function / name, 24, projection, (), loss)["train"][0]
                for name, projection in (("changed", identity | KRONECKER), ("gradients", identity))
            )
            expected = change(torch.from_numpy(gradients)).numpy()
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())

    @pytest.mark.parametrize("function", ["output", "norm", "window-4"])
    def test_those_of_training_examples_need_no_targets(
        self, digits, diffusion_task, diffusion_settings, unets, tmp_path, function
    ):
        """They are decided by `plan.feature_settings` alone."""
        bare = build_task(feature_settings(diffusion_settings), digits, function=function)
        for name, task in (("bare", bare), ("whole", diffusion_task(function))):
            diffusion_features(task, unets[:1], tmp_path / name, entries=())
        for name in ("train", "weights"):
            found, expected = (np.load(tmp_path / run / f"{name}.npy") for run in ("bare", "whole"))
            np.testing.assert_array_equal(found, expected)

    def test_targets_in_another_order(self, diffusion_task, unets, whole, tmp_path):
        found = diffusion_features(diffusion_task(), unets, tmp_path, entries=(3, 0, 8))
        largest = np.abs(whole["targets"]).max()
        np.testing.assert_allclose(found["targets"], whole["targets"][:, [1, 3, 0]], rtol=1e-4, atol=1e-4 * largest)

    def test_a_window_has_training_features_alone(self, diffusion_task, unets, whole, tmp_path):
        found = diffusion_features(diffusion_task("window-4"), unets, tmp_path, entries=())
        assert found.keys() == {"train", "weights"}
        assert found["train"].shape == (2, 24, 30)
        assert np.abs(found["train"] - whole["train"]).max() > 0.01 * np.abs(whole["train"]).max()

    def test_a_model_that_is_not_finite_is_told_without_a_large_batch(self, diffusion_task, tmp_path):
        model = diffusion_task().new_model(0).eval()
        model.conv_in.bias.data[0] = np.nan
        task = diffusion_task(journey={"train_draws": 100})
        rows = []
        model.register_forward_pre_hook(lambda module, inputs: rows.append(len(inputs[0])))
        with pytest.raises(UserError, match=r"tensor conv_in\.bias holds NaN .* first seen at training example 0;"):
            diffusion_features(task, [Member(0, "model", lambda: model)], tmp_path)
        assert rows == [500]  # five examples


class Interrupted(Exception):
    pass


class Interrupter:
    """Wraps `projected_gradients`: counts the chunks projected, and raises at one of them."""

    def __init__(self, monkeypatch):
        self.project, self.done, self.at = features.projected_gradients, 0, None
        monkeypatch.setattr(features, "projected_gradients", self.wrapped)
        monkeypatch.setattr(resumable, "SAVE_SECONDS", -1.0)  # every chunk reaches the disk

    def wrapped(self, *arguments):
        if self.done == self.at:
            raise Interrupted
        self.done += 1
        return self.project(*arguments)


@pytest.fixture
def interrupter(monkeypatch):
    return Interrupter(monkeypatch)


CHUNKS = 2 * 5, 2 * 1  # of 8 examples: five a member for training, one for targets


@pytest.mark.parametrize("at", range(sum(CHUNKS)))
def test_resumed_run_is_the_same_to_the_byte(extract, interrupter, tmp_path, at):
    expected, _ = extract("undisturbed")
    interrupter.done, interrupter.at = 0, at
    with pytest.raises(Interrupted):
        extract("disturbed")
    assert not (tmp_path / "disturbed/targets.npy").exists()
    interrupter.at = None
    found, _ = extract("disturbed")
    assert found.keys() == expected.keys()
    for name in expected:
        first, second = ((tmp_path / run / f"{name}.npy").read_bytes() for run in ("undisturbed", "disturbed"))
        assert first == second
    if at < CHUNKS[0]:
        assert interrupter.done == sum(CHUNKS)  # nothing was done twice


def test_features_of_training_examples_and_of_targets_do_not_touch_each_other(task, members, interrupter, tmp_path):
    """Not while either is interrupted, nor when there are other targets."""
    extractor = extractor_of(task, members, SJLT, 8)
    extractor.write_train(tmp_path)
    train = [tmp_path / "train.npy", tmp_path / "weights.npy"]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in train]
    interrupter.at = CHUNKS[0] + 1
    with pytest.raises(Interrupted):
        extractor.write_targets(tmp_path, TARGETS)
    interrupter.at = None
    extractor.write_targets(tmp_path, TARGETS)
    assert interrupter.done == sum(CHUNKS)
    extractor.write_targets(tmp_path, TARGETS[::-1])
    assert before == [(path.read_bytes(), path.stat().st_mtime_ns) for path in train]
    targets = (tmp_path / "targets.npy").read_bytes()
    extractor.write_train(tmp_path)
    assert targets == (tmp_path / "targets.npy").read_bytes()


def test_more_targets_have_the_same_first_rows(task, members, tmp_path):
    extractor = extractor_of(task, members, SJLT, 2)
    found = []
    for entries in (TARGETS, np.append(TARGETS, [4, 9])):
        extractor.write_targets(tmp_path / str(len(entries)), entries)
        found.append(np.load(tmp_path / str(len(entries)) / "targets.npy"))
    few, many = found
    assert (few.shape, many.shape) == ((2, 5, 30), (2, 7, 30))
    np.testing.assert_array_equal(many[:, :4], few[:, :4])  # the same chunks
    np.testing.assert_allclose(many[:, 4], few[:, 4], rtol=1e-5, atol=1e-5 * np.abs(few).max())


def test_other_targets_do_not_continue_an_interrupted_run(task, members, interrupter, tmp_path):
    extractor = extractor_of(task, members, SJLT, 2)
    interrupter.at = 4
    with pytest.raises(Interrupted):
        extractor.write_targets(tmp_path / "disturbed", TARGETS)
    interrupter.at = None
    for name in ("disturbed", "undisturbed"):
        extractor.write_targets(tmp_path / name, TARGETS[::-1])
    found, expected = (np.load(tmp_path / name / "targets.npy") for name in ("disturbed", "undisturbed"))
    np.testing.assert_array_equal(found, expected)


def test_preconditioners_from_files_give_the_same_features(task, members, tmp_path):
    projection = SJLT | KRONECKER
    for m, member in enumerate(members):
        build_preconditioner(projection, task, member.load(), 8).save(tmp_path / f"{m}.safetensors")

    def preconditioner(m):
        return Preconditioner.load(tmp_path / f"{m}.safetensors")

    Extractor(task, members, projection, 8, preconditioner).write_train(tmp_path / "files")
    extractor_of(task, members, projection, 8).write_train(tmp_path / "made")
    found, expected = (np.load(tmp_path / name / "train.npy") for name in ("files", "made"))
    np.testing.assert_array_equal(found, expected)


def test_a_run_of_other_settings_begins_anew(extract, interrupter):
    expected, _ = extract("undisturbed", identity="new")
    for changes in ({"identity": "old"}, {"identity": "new", "chunk": 10}):
        interrupter.done, interrupter.at = 0, 3
        with pytest.raises(Interrupted):
            extract("disturbed", **changes)
        interrupter.done, interrupter.at = 0, None
        found, _ = extract("disturbed", identity="new")
        assert interrupter.done == sum(CHUNKS)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])


class TestMistakes:
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    @pytest.mark.parametrize("tensor", ["stem.weight", "fc.bias", "norm.running_var"])
    def test_checkpoint_that_is_not_finite(self, extract, models, members, tensor, value):
        bad = copy.deepcopy(models[1])
        bad.state_dict()[tensor].view(-1)[-1] = value
        members[1] = Member(9, "00009.safetensors", lambda: bad)
        with pytest.raises(
            UserError, match=rf"member 9, checkpoint 00009\.safetensors: tensor {tensor} holds NaN"
        ) as e:
            extract(members=members)
        # An infinite variance gives outputs that are finite; a NaN shows at the first example already.
        quiet = tensor == "norm.running_var" and value == np.inf
        seen = "no training example's output" if quiet else "training example 0"
        assert f"first seen at {seen};" in str(e.value)

    @pytest.mark.parametrize(("what", "row"), [("training example", 13), ("target", 7)])
    def test_feature_that_is_not_finite(self, extract, monkeypatch, task, what, row):
        """What overflows with a sound model is named by its row in the split, or in the table of targets."""
        name = "target_batch" if what == "target" else "train_batch"
        batch = getattr(task, name)

        def spoilt(rows):
            images, labels = batch(rows)
            images[torch.as_tensor(rows == row)] *= 1e38
            return images, labels

        monkeypatch.setattr(task, name, spoilt)
        message = rf"member 5, checkpoint 0\.safetensors: the projected gradient of {what} {row} is not finite"
        with pytest.raises(UserError, match=message):
            extract()

    def test_one_number_of_a_feature_is_enough(self, extract, monkeypatch):
        project = features.projected_gradients

        def spoiled(*arguments):
            outputs, found = project(*arguments)
            found[5, 17] = np.inf
            return outputs, found

        monkeypatch.setattr(features, "projected_gradients", spoiled)
        with pytest.raises(UserError, match="the projected gradient of training example 5 is not finite"):
            extract()

    def test_identity_of_another_size(self, extract, tmp_path, models):
        parameters = sum(p.numel() for p in models[0].parameters())
        with pytest.raises(UserError, match=rf"projection\.dim: found 30 with kind identity, but .* {parameters} attr"):
            extract(projection={"kind": "identity", "dim": 30})
        assert not list(tmp_path.glob("run/*"))  # told before any work
        arrays, _ = extract(projection={"kind": "identity", "dim": parameters})
        assert arrays["train"].shape == (2, 40, parameters)

    def test_model_that_the_factored_projection_cannot_serve(self, extract, tmp_path, task, monkeypatch):
        build = task.architecture

        def architecture():
            model = build()
            model.head = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
            return model

        monkeypatch.setattr(task, "architecture", architecture)
        message = r"projection\.kind: found factored, .* head\.bias \(in ParametrizedLinear\) is not"
        with pytest.raises(UserError, match=message):
            extract(projection={"kind": "factored", "dim": 30})
        assert not list(tmp_path.glob("run/*"))  # told before any work

    def test_more_features_than_parameters_is_no_mistake(self, extract, models):
        dim = 2 * sum(p.numel() for p in models[0].parameters())
        arrays, (parameters, _) = extract(projection={"kind": "sjlt", "dim": dim, "nonzeros": 1})
        assert arrays["train"].shape == (2, 40, dim)
        assert dim == 2 * parameters
        gradients, _ = extract("gradients", projection={"kind": "identity", "dim": None})
        lengths = [np.linalg.norm(run["train"], axis=2) for run in (arrays, gradients)]
        np.testing.assert_allclose(lengths[0], lengths[1], rtol=0.3)
