"""Against central differences: every recipe, weighted and not; and what must be the same to the bit."""

import copy

import numpy as np
import pytest
import torch

from trakway.metagradients.exact import metagradients
from trakway.metagradients.flat import join
from trakway.metagradients.recording import Recording, steps_of


def final(run):
    return run.state.model if run.state.averaged is None else run.state.averaged.module


def trained(run):
    for part in steps_of(run):
        run.take(*part)
    return final(run)


def outputs(task, model):
    with torch.no_grad():
        return task.output(model, task.target_batch(np.arange(task.test_size))).double().numpy()


def slopes(task, model):
    """Return the derivatives of every target's output in the weights of the model."""
    model = copy.deepcopy(model).requires_grad_()
    found, parameters = task.output(model, task.target_batch(np.arange(task.test_size))), list(model.parameters())
    return torch.stack([join(torch.autograd.grad(one, parameters, retain_graph=True)) for one in found])


def scores(begin, task, training, weights=None, room=1000, chunk=10, **options):
    recording = Recording(begin(training, weights, task), room)
    return metagradients(recording, slopes(task, final(recording.run)), chunk, **options)[:, 0].double().numpy()


def differences(begin, task, training, weights, size):
    found = np.empty((task.test_size, task.train_size))
    for i in range(task.train_size):
        ends = []
        for sign in (1, -1):
            changed = weights.copy()
            changed[i] += sign * size
            ends.append(outputs(task, trained(begin(training, changed, task))))
        found[:, i] = (ends[0] - ends[1]) / (2 * size)
    return found


@pytest.mark.parametrize("weighted", [False, True])
def test_central_differences(begin, points, training, weighted):
    weights = np.random.default_rng(1).uniform(0, 2, points.train_size) if weighted else np.ones(points.train_size)
    weights[:2] = [0, 1]
    expected = differences(begin, points, training, weights, 1e-4)
    found = scores(begin, points, training, weights)
    assert np.linalg.norm(found - expected) < 1e-6 * np.linalg.norm(expected)
    assert (np.abs(expected).max(0) > 1e-3 * np.abs(expected).max()).all()  # every example counts


def test_weights_of_one_are_no_weights(begin, points, training):
    ones = np.ones(points.train_size)
    np.testing.assert_allclose(
        scores(begin, points, training), scores(begin, points, training, ones), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("room", [1, 2, 3, 6])
def test_segments_give_the_same_bits(begin, points, training, room):
    np.testing.assert_array_equal(scores(begin, points, training, room=room), scores(begin, points, training))


def test_functions_do_not_depend_on_each_other(begin, points, training):
    recording = Recording(begin(training), 1000)
    every = slopes(points, final(recording.run))
    together = metagradients(recording, every, 10)
    alone = torch.cat([metagradients(recording, one[None], 1) for one in every])
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(together, metagradients(recording, every, 2), rtol=1e-9, atol=1e-12)
    total = metagradients(recording, every.sum(0)[None], 1)[0]
    torch.testing.assert_close(together.sum(0), total, rtol=1e-9, atol=1e-12)


def test_an_example_that_is_never_visited_scores_nothing(begin, points, training):
    short = training | {"steps": 2}
    run = begin(short)
    visited = {int(row) for _, part in steps_of(run) for row in part}
    assert 0 < len(visited) < points.train_size
    found = scores(begin, points, short)
    others = sorted(set(range(points.train_size)) - visited)
    assert (found[:, others] == 0).all()
    assert (np.abs(found[:, sorted(visited)]).min(1) > 0).all()


def test_from_a_later_step_on_earlier_ones_count_as_given(begin, points, training):
    last = scores(begin, points, training, firsts=[training["steps"] - 1])
    visited = steps_of(begin(training))[-1][1]
    assert set(np.flatnonzero(np.abs(last).max(0))) == set(visited)


def test_adamw_does_not_feel_a_common_factor(begin, points, training):
    if training["optimizer"] == "adamw":
        found = scores(begin, points, training | {"weight_decay": 0.0, "epsilon_root": 0.0})
        assert np.abs(found.sum(1)).max() < 1e-5 * np.abs(found).sum(1).max()
