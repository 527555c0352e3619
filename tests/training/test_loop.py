from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trakway import seeds
from trakway.errors import UserError
from trakway.training import loop
from trakway.training.checkpoint import load_tensors
from trakway.training.loop import autocast, checkpoint_epochs, learning_rate, train_model

ROWS = np.arange(0, 40, 2)


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


@pytest.mark.parametrize("momentum", [0.9, 0.0])
@pytest.mark.parametrize("stops", [[2], [4], [5], [6], [3, 1, 1]])
def test_a_run_cut_off_anywhere_ends_in_the_same_bytes(
    train, weights, tmp_path, monkeypatch, kill_at, killed, momentum, stops
):
    expected = train("whole", momentum=momentum)
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    done = 0
    for stop in stops:  # 2 batches an epoch, 4 epochs
        losses = kill_at(stop)
        with pytest.raises(killed):
            train("cut", momentum=momentum)
        done += len(losses) - len(losses) % 2
    losses = kill_at(None)
    assert train("cut", momentum=momentum) == expected
    assert len(losses) == 8 - done  # whole epochs are not done again
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


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
    for epoch in range(2):
        rng = seeds.generator(3, "epoch", epoch)
        for number, part in enumerate(np.array_split(rng.permutation(ROWS), 2)):
            images, labels = task.augment(task.train_batch(part), rng)
            loss = torch.nn.functional.cross_entropy(model(images), labels)
            gradients = torch.autograd.grad(loss, list(model.parameters()))
            rate = learning_rate(2 * epoch + number, 8, experiment["training"])
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
    for epoch, row in enumerate(curve):
        first, second = (loss.item() for loss in losses[2 * epoch : 2 * epoch + 2])
        np.testing.assert_allclose(row["loss"], (9 * first + 8 * second) / 17, rtol=1e-6)
        rates = [learning_rate(2 * epoch + number, 8, experiment["training"]) for number in range(2)]
        np.testing.assert_allclose(row["learning_rate"], np.mean(rates), rtol=1e-12)


@given(size=st.integers(1, 40), batch_size=st.integers(1, 50), epochs=st.integers(1, 3), seed=st.integers(0, 99))
def test_every_epoch_sees_every_example_of_the_subset_once(size, batch_size, epochs, seed):
    rows = np.random.default_rng(seed).permutation(40)[:size]
    seen = []

    class Spy:
        device = "cpu"

        def new_model(self, seed):
            return torch.nn.Linear(1, 1)

        def train_batch(self, rows):
            seen.append(rows.tolist())
            return (torch.zeros(1, 1),)

        def augment(self, batch, rng):
            return batch

        def loss(self, model, batch):
            return model(*batch).sum()

    training = {"epochs": epochs, "batch_size": batch_size, "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.0}
    training |= {"warmup": 0.2, "precision": "float32", "checkpoints": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "save_tensors", lambda path, tensors: None)
        train_model(Spy(), rows, training, seed, loop.Path("none.safetensors"), "mark")
    batches = max(1, round(size / batch_size))
    assert len(seen) == epochs * batches
    lengths = {len(batch) for batch in seen}
    assert max(lengths) - min(lengths) <= 1
    orders = [sum(seen[epoch * batches : (epoch + 1) * batches], []) for epoch in range(epochs)]
    for order in orders:
        assert sorted(order) == sorted(rows.tolist())
    if size > 20:
        assert len({tuple(order) for order in orders}) == epochs


@given(steps=st.integers(1, 200), warmup=st.floats(0, 1), peak=st.floats(0.001, 10))
def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero(steps, warmup, peak):
    training = {"learning_rate": peak, "warmup": warmup}
    rates = np.array([learning_rate(step, steps, training) for step in range(steps)])
    positions = (np.arange(steps) + 1) / (steps + 1)
    # Straight lines from (0, 0) to (warm-up, peak) to (1, 0).
    np.testing.assert_allclose(rates, peak * np.interp(positions, [0, warmup, 1], [0, 1, 0]), rtol=1e-6)
    assert (rates > 0).all()
    assert (rates <= peak * (1 + 1e-12)).all()
    assert (np.diff(rates[positions <= warmup]) > 0).all()
    assert (np.diff(rates[positions >= warmup]) < 0).all()


def test_the_peak_is_at_the_end_of_the_warm_up():
    rates = [learning_rate(step, 99, {"learning_rate": 0.4, "warmup": 0.25}) for step in range(99)]
    assert int(np.argmax(rates)) == 24
    assert rates[24] == pytest.approx(0.4)
    assert rates[-1] == pytest.approx(0.4 * 0.01 / 0.75)


@given(st.integers(1, 200).flatmap(lambda epochs: st.tuples(st.just(epochs), st.integers(1, epochs))))
def test_checkpoints_are_evenly_spaced_and_the_last_is_final(numbers):
    epochs, count = numbers
    kept = checkpoint_epochs({"epochs": epochs, "checkpoints": count})
    assert len(kept) == count
    assert kept[-1] == epochs
    assert kept == sorted(set(kept))
    assert kept[0] >= 1
    for i, epoch in enumerate(kept):
        assert abs(epoch - Fraction(epochs * (i + 1), count)) <= Fraction(1, 2)


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
