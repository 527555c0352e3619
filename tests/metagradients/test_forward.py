import numpy as np
import torch

from trakway.metagradients.exact import metagradients
from trakway.metagradients.forward import moved
from trakway.metagradients.recording import Recording
from trakway.metagradients.scores import output_slopes


def test_forward_is_reverse(points, begin, training):
    rng = np.random.default_rng(0)
    directions = -(rng.random((4, points.train_size)) < 0.3).astype(float)
    weights = rng.uniform(0, 2, points.train_size)
    recording = Recording(begin(training, weights), 1000)
    state = recording.run.state
    slopes = output_slopes(points, state.model if state.averaged is None else state.averaged.module, np.arange(3))
    expected = metagradients(recording, slopes, 3)[:, 0] @ torch.from_numpy(directions).T
    for chunk in (1, 3, 10):
        found = slopes @ moved(begin(training, weights), directions, chunk).T
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-11)
    assert expected.abs().min() > 0
