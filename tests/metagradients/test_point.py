import numpy as np
import pytest

from tests.metagradients.conftest import SIZE, Points
from trakway.metagradients.point import Point, point_of
from trakway.metagradients.recording import steps_of
from trakway.metagradients.scores import Differentiated
from trakway.outputs.evaluation import model_outputs
from trakway.training.run import Run

INSIDE = np.arange(SIZE) % 2 == 0


class Still(Points):
    """Points without noise of their own, so that a full batch is the same in every order."""

    def training_batch(self, rows, rng):
        return self.train_batch(rows)


@pytest.fixture
def still():
    return Still()


@pytest.fixture
def subsets(tmp_path):
    np.save(tmp_path / "members.npy", np.stack([~INSIDE, INSIDE]))
    return tmp_path / "members.npy"


def final_outputs(task, rows, training, weights=None):
    run = Run(task, rows, training, 3, weights)
    for part in steps_of(run):
        run.take(*part)
    model = run.state.model if run.state.averaged is None else run.state.averaged.module
    return model_outputs(task, model.eval(), task.test_size)


def test_the_full_set_and_its_middle(training):
    assert point_of("full", training, SIZE, 0, 0.5, None) == Point(training)
    middle = point_of("middle", training, SIZE, 0, 0.25, None)
    assert middle.training == training
    np.testing.assert_array_equal(middle.weights, np.full(SIZE, 0.25, np.float32))


def test_at_a_member_it_is_the_model_of_its_subset(still, training, subsets):
    """Where every step sees the whole subset: to the last digits, whatever the optimizer."""
    training = training | {"removal": "resample", "batch_size": INSIDE.sum()}
    point = point_of("members", training, SIZE, 1, 0.5, subsets)
    there = final_outputs(still, np.arange(SIZE), point.training, point.weights)
    alone = final_outputs(still, np.flatnonzero(INSIDE), training)
    np.testing.assert_allclose(there, alone, rtol=1e-9)


def test_where_the_bank_drops_examples_in_place_so_does_the_point(training, subsets):
    training = training | {"removal": "reweight"}
    point = point_of("members", training, SIZE, 1, 0.5, subsets)
    assert (point.training, point.unit) == (training, 1.0)
    np.testing.assert_array_equal(point.weights, INSIDE)


def test_scores_there_are_of_presence(still, training, subsets):
    """What a little less of an example that is there, or a little of one that is not, changes."""
    training = training | {"removal": "resample", "batch_size": INSIDE.sum(), "learning_rate": 0.05}
    point = point_of("members", training, SIZE, 1, 0.5, subsets)
    found = Differentiated(still, point, 0).scores(np.arange(3))[:, 0]
    size, seed = 1e-3, Differentiated(still, point, 0).seed
    for example in (0, 1):
        ends = []
        for sign in (1, -1):
            presence = INSIDE.astype(float)
            presence[example] += sign * size
            run = Run(still, np.arange(SIZE), point.training, seed, presence * 2)
            for part in steps_of(run):
                run.take(*part)
            model = run.state.model if run.state.averaged is None else run.state.averaged.module
            ends.append(model_outputs(still, model.eval(), 3))
        np.testing.assert_allclose(found[:, example], (ends[0] - ends[1]) / (2 * size), rtol=1e-3, atol=1e-7)
