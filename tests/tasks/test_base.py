import numpy as np
import pytest
import torch
from torch import nn

from trakway.seeds import derive
from trakway.tasks import Task


def test_a_new_model_is_a_function_of_its_seed(task):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    states = [task.new_model(seed).state_dict() for seed in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), before)  # the global generator is left alone
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["stem.weight"], states[2]["stem.weight"])


def test_training_seeds_are_of_the_ensemble_and_the_model(task):
    assert task.training_seed("members", 3) == derive(0, "train:members", 3)
    seeds = {task.training_seed(ensemble, index) for ensemble in ("members", "evaluation") for index in range(4)}
    assert len(seeds) == 8


def test_attributed_are_the_parameters_that_learn(task):
    model = task.new_model(0)
    assert task.attributed(model) == [name for name, _ in model.named_parameters()]
    model.stem.requires_grad_(False)
    names = task.attributed(model)
    assert "stem.weight" not in names
    assert len(names) == len(list(model.parameters())) - 1


def test_its_code_is_that_of_the_class_and_of_the_network(task):
    assert [path.name for path in task.sources] == ["image_classification.py", "resnet_small.py"]


def test_what_learns_is_what_is_saved(task):
    model = task.new_model(0)
    assert isinstance(model, nn.Module)
    assert set(task.attributed(model)) <= set(model.state_dict())


class Least(Task):
    """What a task has to say for itself, and no more."""

    seed, train_size, test_size, device = 0, 3, 1, "cpu"

    def architecture(self):
        return nn.Linear(2, 1)

    def train_batch(self, rows):
        return (torch.tensor(rows, dtype=torch.float32)[:, None].expand(-1, 2),)

    def output(self, model, batch):
        return model(*batch)[:, 0]

    target_batch, loss, loss_slope = train_batch, output, None


def test_what_a_task_need_not_say():
    task = Least()
    model, batch = task.new_model(0), task.train_batch(np.arange(3))
    assert torch.equal(task.training_batch(np.arange(3), np.random.default_rng(0))[0], batch[0])
    assert (task.evaluate(model), task.draws, task.checkpoint_format) == ({}, 1, "safetensors")
    ((part, share, piece),) = task.pieces(batch, 1)
    assert (part, share) == (slice(None), 1.0)
    assert piece is batch
    with pytest.raises(NotImplementedError, match="Least has no representation"):
        task.representation(model, batch)
