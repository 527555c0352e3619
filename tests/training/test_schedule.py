from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.errors import UserError
from trakway.training.schedule import Schedule


def schedule(size, **training):
    default = {"epochs": None, "steps": None, "batch_size": 10, "checkpoints": 1, "learning_rate": 0.1, "warmup": 0.25}
    return Schedule(size, default | training)


def batches(plan, seed=0):
    """Every epoch's steps, of fresh orders of the examples 0..size."""
    rng = np.random.default_rng(seed)
    return [list(plan.epoch(number, rng.permutation(plan.size))) for number in range(plan.epochs)]


@given(size=st.integers(1, 60), batch_size=st.integers(1, 70), epochs=st.integers(1, 5))
def test_an_epoch_is_every_example_once_in_equal_batches(size, batch_size, epochs):
    plan = schedule(size, epochs=epochs, batch_size=batch_size)
    seen = batches(plan)
    assert len(seen) == epochs
    assert [step for epoch in seen for step, _ in epoch] == list(range(plan.steps))
    for epoch in seen:
        assert len(epoch) == max(1, round(size / batch_size))
        lengths = {len(part) for _, part in epoch}
        assert max(lengths) - min(lengths) <= 1
        assert sorted(np.concatenate([part for _, part in epoch])) == list(range(size))


@given(size=st.integers(1, 60), batch_size=st.integers(1, 70), steps=st.integers(1, 40))
def test_steps_are_of_exactly_one_batch_whatever_the_size(size, batch_size, steps):
    plan = schedule(size, steps=steps, batch_size=batch_size)
    seen = batches(plan)
    assert [step for epoch in seen for step, _ in epoch] == list(range(steps))
    assert {len(part) for epoch in seen for _, part in epoch} == {min(size, batch_size)}
    for epoch in seen[:-1]:
        assert len(epoch) == max(1, size // batch_size)
    assert 1 <= len(seen[-1]) <= max(1, size // batch_size)
    for epoch in seen:
        rows = np.concatenate([part for _, part in epoch])
        assert len(set(rows)) == len(rows)
        assert set(rows) <= set(range(size))


def test_every_example_has_its_turn_in_a_run_of_steps():
    counts = np.bincount(np.concatenate([part for epoch in batches(schedule(17, steps=400)) for _, part in epoch]))
    # 400 draws of 10 among 17: 235.3 each, with a standard deviation of 9.8.
    assert np.abs(counts - 4000 / 17).max() < 50


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 40))
def test_runs_of_steps_differ_by_their_data_alone(size, other, steps):
    one, two = (schedule(n, steps=steps, checkpoints=min(3, steps)) for n in (size, other))
    assert one.checkpoints == two.checkpoints
    assert [one.learning_rate(step) for step in range(steps)] == [two.learning_rate(step) for step in range(steps)]


@given(steps=st.integers(1, 200), warmup=st.floats(0, 1), peak=st.floats(0.001, 10))
def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero(steps, warmup, peak):
    plan = schedule(30, steps=steps, warmup=warmup, learning_rate=peak)
    rates = np.array([plan.learning_rate(step) for step in range(steps)])
    positions = (np.arange(steps) + 1) / (steps + 1)
    # Straight lines from (0, 0) to (warm-up, peak) to (1, 0).
    np.testing.assert_allclose(rates, peak * np.interp(positions, [0, warmup, 1], [0, 1, 0]), rtol=1e-6)
    assert (rates > 0).all()
    assert (rates <= peak * (1 + 1e-12)).all()
    assert (np.diff(rates[positions <= warmup]) > 0).all()
    assert (np.diff(rates[positions >= warmup]) < 0).all()


def test_the_peak_is_at_the_end_of_the_warm_up():
    plan = schedule(30, epochs=33, learning_rate=0.4)
    rates = [plan.learning_rate(step) for step in range(99)]
    assert plan.steps == 99
    assert int(np.argmax(rates)) == 24
    assert rates[24] == pytest.approx(0.4)
    assert rates[-1] == pytest.approx(0.4 * 0.01 / 0.75)


lengths = st.integers(1, 200).flatmap(lambda length: st.tuples(st.just(length), st.integers(1, length)))


@given(lengths, st.integers(1, 50), st.sampled_from(["epochs", "steps"]))
def test_checkpoints_are_evenly_spaced_and_the_last_is_final(numbers, size, what):
    length, count = numbers
    plan = schedule(size, **{what: length}, checkpoints=count)
    unit = plan.batches if what == "epochs" else 1
    kept = plan.checkpoints
    assert len(kept) == count
    assert kept[-1] == plan.steps == unit * length
    assert kept == sorted(set(kept))
    assert kept[0] >= 1
    for i, steps in enumerate(kept):
        assert steps % unit == 0
        assert abs(Fraction(steps, unit) - Fraction(length * (i + 1), count)) <= Fraction(1, 2)


@given(lengths, st.integers(1, 50), st.integers(1, 60), st.sampled_from(["epochs", "steps"]))
def test_rates_before_checkpoints_are_those_of_an_examples_visits(numbers, size, batch_size, what):
    length, count = numbers
    plan = schedule(size, **{what: length}, checkpoints=count, batch_size=batch_size)
    expected, start = [], 0
    parts = {step: len(part) for number in range(plan.epochs) for step, part in plan.epoch(number, np.arange(size))}
    for stop in plan.checkpoints:
        if what == "epochs":  # every example once an epoch, in a batch of any number
            visits = dict.fromkeys(range(start, stop), 1 / plan.batches)
        else:  # in a batch with the probability that its size gives
            visits = {step: parts[step] / size for step in range(start, stop)}
        expected.append(sum(plan.learning_rate(step) * share for step, share in visits.items()))
        start = stop
    found = plan.rates_before_checkpoints()
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert all(type(rate) is float for rate in found)


@pytest.mark.parametrize(("epochs", "steps"), [(None, None), (3, 7)])
def test_exactly_one_says_how_long(epochs, steps):
    with pytest.raises(UserError, match=rf"training: found epochs {epochs}, steps {steps}; exactly one .* null"):
        schedule(10, epochs=epochs, steps=steps)
