import numpy as np
import pytest
import torch


@pytest.fixture
def whole_numbers():
    """Draw gradients (B, p) of small whole numbers, whose sums float32 holds exactly, in whatever order."""

    def draw(batch, parameters, seed=0):
        values = np.random.default_rng(seed).integers(-9, 10, (batch, parameters))
        return torch.from_numpy(values.astype(np.float32))

    return draw
