import numpy as np
import pytest
import torch

from trakway.features.members import Member


@pytest.fixture
def models(task):
    """Two untrained models with the batch norm's statistics of the data, else all would look the same."""
    made = [task.new_model(seed) for seed in (1, 2)]
    with torch.no_grad():
        for model in made:
            model(task.train_batch(np.arange(40))[0])
    return [model.eval() for model in made]


@pytest.fixture
def members(models):
    return [Member(5 + i, f"{i}.safetensors", lambda model=model: model) for i, model in enumerate(models)]
