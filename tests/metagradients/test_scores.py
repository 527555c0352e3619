import numpy as np
import pytest
import torch

from trakway.metagradients.exact import metagradients
from trakway.metagradients.point import Point
from trakway.metagradients.recording import Recording
from trakway.metagradients.scores import Differentiated, output_slopes, write_scores
from trakway.training.ensemble import Ensemble, model_seed

ENTRIES = np.arange(3)


def test_scores_are_the_derivatives_at_the_final_model(points, begin, training):
    run = Differentiated(points, Point(training), 0)
    recording = Recording(begin(training, seed=run.seed), 1000)
    state = recording.run.state
    model = state.model if state.averaged is None else state.averaged.module
    expected = metagradients(recording, output_slopes(points, model, ENTRIES), 3)
    np.testing.assert_allclose(run.scores(ENTRIES), expected, rtol=1e-5, atol=1e-8)


def test_slopes_are_those_of_each_output(points, begin, training):
    model = begin(training).state.model
    found = output_slopes(points, model, ENTRIES)
    for entry, slope in zip(ENTRIES, found, strict=True):
        output = points.output(model, points.target_batch(np.array([entry])))[0]
        expected = torch.cat([one.flatten() for one in torch.autograd.grad(output, list(model.parameters()))])
        torch.testing.assert_close(slope, expected)


def test_the_bank_at_a_fixed_seed_has_that_of_the_first_run(points, training):
    bank = Ensemble("fixed", np.ones((4, points.train_size), bool), 1, reweighted=True)
    seeds = {model_seed(points, bank, index, paired) for index in range(4) for paired in (False, True)}
    assert seeds == {Differentiated(points, Point(training), 0).seed}
    assert Differentiated(points, Point(training), 1).seed not in seeds


@pytest.mark.parametrize("memory_mb", [2000, 0.0001])
def test_interrupted_and_continued(points, training, tmp_path, monkeypatch, memory_mb):
    monkeypatch.setattr("trakway.storage.resumable.SAVE_SECONDS", -1.0)
    whole = Differentiated(points, Point(training), 0, memory_mb=2000).scores(ENTRIES)
    run, path = Differentiated(points, Point(training), 0, memory_mb=memory_mb), tmp_path / "0.npy"
    scores = run.scores
    asked = []

    def once(entries):
        if asked:
            raise KeyboardInterrupt
        asked.append(entries)
        return scores(entries)

    monkeypatch.setattr(run, "scores", once)
    with pytest.raises(KeyboardInterrupt):
        write_scores(run, path, 3, 2, "mark")
    assert not path.exists()
    again = Differentiated(points, Point(training), 0, memory_mb=memory_mb)
    scores = again.scores
    monkeypatch.setattr(again, "scores", lambda entries: asked.append(entries) or scores(entries))
    write_scores(again, path, 3, 2, "mark")
    assert [list(entries) for entries in asked] == [[0, 1], [2]]
    np.testing.assert_allclose(np.load(path), whole, rtol=1e-5, atol=1e-8)


def test_what_came_before_the_start_counts_as_given(points, training):
    every = Differentiated(points, Point(training), 0).scores(ENTRIES)
    half = Differentiated(points, Point(training), 0, starts=[0.5]).scores(ENTRIES)
    assert np.abs(every - half).max() > 1e-3 * np.abs(every).max()
    both = Differentiated(points, Point(training), 0, starts=[0.5, 0.0]).scores(ENTRIES)
    np.testing.assert_array_equal(both, np.concatenate([half, every], axis=1))
