import itertools
import multiprocessing
import os
import shutil
import signal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trakway import seeds
from trakway.errors import UserError
from trakway.training import loop
from trakway.training.checkpoint import load_tensors
from trakway.training.loop import train_model
from trakway.training.run import autocast
from trakway.training.schedule import Schedule

ROWS = np.arange(0, 40, 2)


def order_of(rows, seed, epoch):
    """The order of an epoch: one of all 40 examples, without those that are not among the rows."""
    return [row for row in seeds.generator(seed, "epoch", epoch).permutation(40).tolist() if row in rows]


@pytest.fixture
def train(task, experiment, tmp_path):
    """Train model.safetensors in a folder."""

    def train(folder, rows=ROWS, seed=3, mark="mark", **changes):
        path = tmp_path / folder / "model.safetensors"
        return train_model(task, rows, experiment["training"] | changes, seed, path, mark)

    return train


def test_the_same_arguments_give_the_same_bytes(train, weights, tmp_path):
    curves = [train(folder) for folder in ("one", "two")]
    assert curves[0] == curves[1]
    assert list(weights(tmp_path / "one")) == ["model.0.safetensors", "model.safetensors"]
    assert weights(tmp_path / "one") == weights(tmp_path / "two")


@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"rows": ROWS[1:]}, {"learning_rate": 0.05}, {"augmentation": "-"}, {"momentum": 0.0}]
)
def test_every_argument_counts(train, weights, task, tmp_path, change):
    train("one")
    if "augmentation" in change:
        task.augmentation = change.pop("augmentation")
    train("two", **change)
    assert weights(tmp_path / "one")["model.safetensors"] != weights(tmp_path / "two")["model.safetensors"]


def test_a_loss_that_is_no_number_ends_the_training_and_leaves_no_model(train, task, tmp_path, monkeypatch):
    whole, calls = task.loss, []

    def loss(model, batch):
        calls.append(1)
        return whole(model, batch) * (float("nan") if len(calls) == 6 else 1)

    monkeypatch.setattr(task, "loss", loss)
    with pytest.raises(UserError, match=r"the loss is nan at step 6 of \d+; lower training.learning_rate"):
        train("one")
    assert not list((tmp_path / "one").glob("model*"))


ADAMW = {"optimizer": "adamw", "learning_rate": 0.01, "ema": 0.9}
RUNS = {
    "sgd": {},
    "no momentum": {"momentum": 0.0},
    "sgd, averaged": {"ema": 0.5},
    "adamw": ADAMW | {"ema": None},
    "adamw, averaged": ADAMW,
    "adamw, averaged, smooth": ADAMW | {"epsilon_root": 1e-6},
    "adamw, averaged, steps": ADAMW | {"epochs": None, "steps": 7, "checkpoints": 3},
}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("stops", [[2], [4], [5], [6], [3, 1, 1]])
def test_a_run_cut_off_anywhere_ends_in_the_same_bytes(
    train, weights, tmp_path, monkeypatch, kill_at, killed, run, stops
):
    expected = train("whole", **RUNS[run])
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    done = 0
    for stop in stops:  # 2 batches an epoch, 4 epochs; with 7 steps the last one has but one
        losses = kill_at(stop)
        with pytest.raises(killed):
            train("cut", **RUNS[run])
        done += len(losses) - len(losses) % 2
    losses = kill_at(None)
    assert train("cut", **RUNS[run]) == expected
    assert len(losses) == (7 if RUNS[run].get("steps") else 8) - done  # whole epochs are not done again
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


DENOISER = ADAMW | {"epochs": None, "steps": 5, "checkpoints": 2}


@pytest.fixture
def train_denoiser(denoising, experiment, tmp_path):
    """Train a checkpoint of diffusers in a folder."""

    def train_denoiser(folder, mark="mark", **changes):
        settings = experiment["training"] | DENOISER | changes
        return train_model(denoising, ROWS, settings, 3, tmp_path / folder / "model", mark)

    return train_denoiser


FILES = ("config.json", "diffusion_pytorch_model.safetensors", "scheduler_config.json")


@pytest.mark.parametrize("stops", [[2], [3], [3, 1]])
def test_a_run_in_the_format_of_diffusers_likewise(
    train_denoiser, denoising, weights, tmp_path, monkeypatch, kill_at, killed, stops
):
    expected = train_denoiser("whole")
    assert set(weights(tmp_path / "whole")) == {f"{name}/{file}" for name in ("model", "model.0") for file in FILES}
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    for stop in stops:
        kill_at(stop, denoising)
        with pytest.raises(killed):
            train_denoiser("cut")
    assert weights(tmp_path / "cut") == {f: b for f, b in weights(tmp_path / "cut").items() if ".state." in f} != {}
    losses = kill_at(None, denoising)
    assert train_denoiser("cut") == expected
    assert len(losses) < 5
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def killed_at_rename(number, work):
    """Whether a child process that does the work and ends as by kill -9 before its n-th rename got that far."""

    def child():
        rename, count = os.replace, itertools.count(1)

        def replace(*names):
            if next(count) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            rename(*names)

        os.replace = replace
        work()

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


# In place of an older run's checkpoints, each of which has to be moved away first, or of none.
@pytest.mark.parametrize(("older", "renames"), [(False, 2 + 2), (True, 2 + 2 * 2)])
def test_a_kill_before_any_file_gets_its_name(train_denoiser, weights, tmp_path, monkeypatch, older, renames):
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    train_denoiser("whole")
    whole, before = weights(tmp_path / "whole"), {}
    if older:
        train_denoiser("older", mark="older", learning_rate=0.05)
        before = weights(tmp_path / "older")
        assert before["model/config.json"] == whole["model/config.json"]
        assert before[f"model/{FILES[1]}"] != whole[f"model/{FILES[1]}"]
    for number in itertools.count(1):
        folder = f"cut{number}"
        if older:
            shutil.copytree(tmp_path / "older", tmp_path / folder)
        killed = killed_at_rename(number, lambda folder=folder: train_denoiser(folder))
        left = weights(tmp_path / folder)
        for name in ("model", "model.0"):  # the older one, the new one or none, and always whole
            found, *allowed = (
                {file: content for file, content in files.items() if file.startswith(f"{name}/")}
                for files in (left, before, whole, {})
            )
            assert found in allowed
        train_denoiser(folder)
        assert weights(tmp_path / folder) == whole
        if not killed:
            break
    assert number == renames + 1


def test_no_state_is_kept_before_it_is_worth_it(train, tmp_path, kill_at, killed):
    losses = kill_at(6)
    with pytest.raises(killed):
        train("cut")  # a second at most
    assert len(losses) == 6
    assert not list((tmp_path / "cut").glob("*.state.*"))
    losses = kill_at(None)
    train("cut")
    assert len(losses) == 8


def test_the_state_of_another_run_is_not_continued(train, weights, tmp_path, monkeypatch, kill_at, killed):
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    train("whole", mark="b")
    kill_at(4)
    with pytest.raises(killed):
        train("cut", learning_rate=0.01, mark="a")
    losses = kill_at(None)
    train("cut", mark="b")
    assert len(losses) == 8
    assert weights(tmp_path / "cut").items() >= weights(tmp_path / "whole").items()


def test_checkpoints_of_another_run_are_not_taken_over(train, weights, tmp_path, monkeypatch, kill_at, killed):
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    train("whole", mark="a")
    kill_at(6)
    with pytest.raises(killed):
        train("cut", mark="a")
    kill_at(None)
    train("cut", mark="b", learning_rate=0.01)
    train("cut", mark="a")
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_checkpoints_appear_when_all_are_there(train, weights, tmp_path, monkeypatch, kill_at, killed):
    kill_at(7)  # in the last epoch, after the first checkpoint's
    with pytest.raises(killed):
        train("cut")
    assert weights(tmp_path / "cut") == {}


def test_a_damaged_state_is_named(train, tmp_path, monkeypatch, kill_at, killed):
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    kill_at(4)
    with pytest.raises(killed):
        train("cut")
    (state,) = (tmp_path / "cut").glob("*.state.safetensors")
    state.write_bytes(state.read_bytes()[:-9])
    with pytest.raises(UserError, match=rf"{state.name}: not a whole safetensors file .*delete it and run again"):
        train("cut")


def test_checkpoints_are_the_weights_after_their_epochs(train, task, experiment, tmp_path):
    train("four", checkpoints=4)
    # The first two epochs of four, by hand: Nesterov's momentum and weight decay as in Sutskever et al. (2013).
    model = task.new_model(3).train()
    velocities = [torch.zeros_like(p) for p in model.parameters()]
    plan = Schedule(len(ROWS), experiment["training"])
    for epoch in range(2):
        for number, part in enumerate(np.array_split(order_of(ROWS, 3, epoch), 2)):
            images, labels = task.training_batch(part, seeds.generator(3, "step", 2 * epoch + number))
            loss = torch.nn.functional.cross_entropy(model(images), labels)
            gradients = torch.autograd.grad(loss, list(model.parameters()))
            rate = plan.learning_rate(2 * epoch + number)
            with torch.no_grad():
                for parameter, gradient, velocity in zip(model.parameters(), gradients, velocities, strict=True):
                    gradient = gradient + 5e-4 * parameter
                    velocity.mul_(0.9).add_(gradient)
                    parameter -= rate * (gradient + 0.9 * velocity)
        found = load_tensors(tmp_path / "four" / f"model.{epoch}.safetensors")
        torch.testing.assert_close(found, dict(model.state_dict()), rtol=1e-4, atol=1e-5)


def test_the_curve_holds_the_means_of_each_epoch(train, task, experiment, kill_at):
    losses = kill_at(None)
    curve = train("one", rows=ROWS[:17])["curve"]  # batches of 9 and 8
    assert [row["epoch"] for row in curve] == [1, 2, 3, 4]
    plan = Schedule(17, experiment["training"])
    for epoch, row in enumerate(curve):
        first, second = (loss.item() for loss in losses[2 * epoch : 2 * epoch + 2])
        np.testing.assert_allclose(row["loss"], (9 * first + 8 * second) / 17, rtol=1e-6)
        rates = [plan.learning_rate(2 * epoch + number) for number in range(2)]
        np.testing.assert_allclose(row["learning_rate"], np.mean(rates), rtol=1e-12)


def test_steps_of_adamw_and_the_averaged_weights(train, task, experiment, tmp_path):
    settings = {"optimizer": "adamw", "learning_rate": 0.01, "epochs": None, "steps": 5, "checkpoints": 2, "ema": 0.5}
    train("five", rows=ROWS[:17], batch_size=5, **settings)
    # By hand: three batches of exactly 5 an epoch, two of 17 examples left over; Loshchilov & Hutter (2019).
    model = task.new_model(3).train()
    weights = list(model.parameters())
    means, squares, averages = ([torch.zeros_like(p) for p in weights] for _ in range(3))
    plan = Schedule(17, experiment["training"] | settings | {"batch_size": 5})
    step = 0
    for epoch in range(2):
        order = order_of(ROWS[:17], 3, epoch)
        for start in (0, 5, 10)[: 5 - step]:
            images, labels = task.training_batch(order[start : start + 5], seeds.generator(3, "step", step))
            gradients = torch.autograd.grad(torch.nn.functional.cross_entropy(model(images), labels), weights)
            rate, decay = plan.learning_rate(step), min(0.5, (1 + step) / (10 + step)) if step else 0
            step += 1
            with torch.no_grad():
                for p, g, m, v, a in zip(weights, gradients, means, squares, averages, strict=True):
                    m.mul_(0.9).add_(0.1 * g)
                    v.mul_(0.999).add_(0.001 * g**2)
                    p.mul_(1 - rate * 5e-4).sub_(rate * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8))
                    a.mul_(decay).add_((1 - decay) * p)
            if step in (2, 5):
                name = "model.0.safetensors" if step == 2 else "model.safetensors"
                found = load_tensors(tmp_path / "five" / name)
                expected = dict(model.state_dict())  # buffers: the model's own
                expected |= {key: a for (key, _), a in zip(model.named_parameters(), averages, strict=True)}
                torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


class Spy:
    """Notes which examples it is asked for; its one weight is the number of steps taken."""

    device, checkpoint_format, train_size = "cpu", "safetensors", 40

    def __init__(self):
        self.seen, self.drawn, self.saved = [], [], []

    def new_model(self, seed):
        return torch.nn.Linear(1, 1)

    def training_batch(self, rows, rng):
        self.seen.append(rows.tolist())
        self.drawn.append(rng.random())
        return (torch.zeros(1, 1),)

    def loss(self, model, batch):
        return model(*batch).sum()

    def train(self, rows, seed, **training):
        default = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.0, "warmup": 0.2}
        default |= {
            "precision": "float32",
            "checkpoints": 1,
            "stored": "float32",
            "epochs": None,
            "steps": None,
            "ema": None,
            "epsilon_root": 0.0,
            "removal": "resample",
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "save_checkpoint", lambda task, model, path, stored: self.saved.append(path.name))
            return train_model(self, rows, default | training, seed, loop.Path("none.safetensors"), "mark")["curve"]


@given(size=st.integers(1, 40), batch_size=st.integers(1, 50), epochs=st.integers(1, 3), seed=st.integers(0, 99))
def test_every_epoch_sees_every_example_of_the_subset_once(size, batch_size, epochs, seed):
    rows = np.random.default_rng(seed).permutation(40)[:size]
    spy = Spy()
    curve = spy.train(rows, seed, epochs=epochs, batch_size=batch_size)
    batches = max(1, round(size / batch_size))
    assert [row["epoch"] for row in curve] == list(range(1, epochs + 1))
    assert len(spy.seen) == epochs * batches
    assert spy.drawn == [seeds.generator(seed, "step", step).random() for step in range(epochs * batches)]
    lengths = {len(batch) for batch in spy.seen}
    assert max(lengths) - min(lengths) <= 1
    orders = [sum(spy.seen[epoch * batches : (epoch + 1) * batches], []) for epoch in range(epochs)]
    for epoch, order in enumerate(orders):
        assert sorted(order) == sorted(rows.tolist())
        assert order == order_of(rows, seed, epoch)
    if size > 20:
        assert len({tuple(order) for order in orders}) == epochs


@given(size=st.integers(1, 40), batch_size=st.integers(1, 50), steps=st.integers(1, 20), seed=st.integers(0, 99))
def test_a_run_of_steps_takes_exactly_these(size, batch_size, steps, seed):
    rows = np.random.default_rng(seed).permutation(40)[:size]
    spy = Spy()
    curve = spy.train(rows, seed, steps=steps, batch_size=batch_size, checkpoints=min(steps, 2))
    assert [len(batch) for batch in spy.seen] == [min(size, batch_size)] * steps
    batches = max(1, size // batch_size)
    assert spy.drawn == [seeds.generator(seed, "step", step).random() for step in range(steps)]
    assert len(curve) == -(-steps // batches)
    for epoch in range(len(curve)):
        order = sum(spy.seen[epoch * batches : (epoch + 1) * batches], [])
        assert order == order_of(rows, seed, epoch)[: len(order)]
    assert spy.saved == (["none.0.safetensors"] if steps > 1 else []) + ["none.safetensors"]


@pytest.mark.parametrize(("precision", "enabled"), [("float32", False), ("bfloat16", True), ("auto", False)])
def test_precision_on_a_cpu(precision, enabled):
    with autocast({"precision": precision}, "cpu"):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if enabled else torch.float32)


def test_training_in_bfloat16(train, weights, tmp_path):
    curve = train("half", precision="bfloat16")["curve"]
    train("full")
    assert all(np.isfinite(row["loss"]) for row in curve)
    tensors = load_tensors(tmp_path / "half" / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32, torch.int64}  # the weights stay float32
    assert weights(tmp_path / "half") != weights(tmp_path / "full")


def test_a_model_learns(train, task):
    task.augmentation = "none"
    curve = train("long", epochs=20)["curve"]
    assert curve[-1]["loss"] < 0.6 * curve[0]["loss"]
