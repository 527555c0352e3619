import copy

import pytest
import torch
from torch import nn

from trakway.training.averaging import AveragedModel
from trakway.training.optimizer import build_optimizer
from trakway.training.state import State

SETTINGS = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.02, "epsilon_root": 0.0}
OPTIMIZERS = {
    "sgd": {"optimizer": "sgd"},
    "adamw": {"optimizer": "adamw"},
    "smooth adamw": {"optimizer": "adamw", "epsilon_root": 1e-6},
}


def new_state(optimizer, ema=0.9, seed=0):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    model.register_parameter("temperature", nn.Parameter(torch.tensor(1.0)))
    model.register_parameter("unused", nn.Parameter(torch.ones(2)))
    model = model.to(memory_format=torch.channels_last)
    averaged = AveragedModel(model, ema) if ema else None
    return State(model, build_optimizer(model.parameters(), SETTINGS | OPTIMIZERS[optimizer]), averaged)


def train(state, epochs):
    for epoch in epochs:
        images = torch.randn(6, 3, 4, 4, generator=torch.Generator().manual_seed(epoch))
        loss = (state.model(images) * state.model.temperature).square().sum()
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        if state.averaged:
            state.averaged.update()
        state.curve.append({"epoch": epoch + 1, "loss": loss.item(), "learning_rate": 0.1 / 3})
        state.keep()


def everything(state):
    """All tensors of a state by name."""
    found = {f"model.{name}": tensor for name, tensor in state.model.state_dict().items()}
    for name, parameter in state.model.named_parameters():
        found |= {f"{name}.{key}": value for key, value in state.optimizer.state[parameter].items()}
    if state.averaged:
        found |= {f"averaged.{name}": tensor for name, tensor in state.averaged.state_dict().items()}
    for i, weights in enumerate(state.kept):
        found |= {f"kept.{i}.{name}": tensor for name, tensor in weights.items()}
    return {name: tensor for name, tensor in found.items() if tensor is not None}


@pytest.mark.parametrize("ema", [0.9, None])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_restored_state_goes_on_as_the_one_that_was_saved(tmp_path, optimizer, ema):
    state, other = new_state(optimizer, ema), new_state(optimizer, ema, seed=1)
    train(state, range(3))
    state.save(tmp_path / "s.safetensors")
    other.restore(tmp_path / "s.safetensors")
    for epochs in ([], [3, 4]):
        train(state, epochs)
        train(other, epochs)
        expected, found = everything(state), everything(other)
        kinds = {"exp_avg", "exp_avg_sq", "step"} if optimizer != "sgd" else {"momentum_buffer"}
        assert {f"0.weight.{kind}" for kind in kinds} <= set(expected)
        assert set(found) == set(expected)
        for name, tensor in expected.items():
            assert torch.equal(found[name], tensor), name
            assert found[name].dtype == tensor.dtype
            if not name.startswith("kept."):
                assert found[name].stride() == tensor.stride(), name
        assert other.curve == state.curve
        assert [type(value) for value in other.curve[0].values()] == [int, float, float]


def test_the_kept_weights_are_the_averaged_ones_and_stay_as_they_were():
    state = new_state("adamw")
    train(state, range(2))
    first = copy.deepcopy(state.kept[0])
    train(state, range(2, 4))
    assert all(torch.equal(state.kept[0][name], tensor) for name, tensor in first.items())
    assert torch.equal(state.kept[-1]["0.weight"], state.averaged.module[0].weight)
    assert not torch.equal(state.kept[-1]["0.weight"], state.model[0].weight)
    assert torch.equal(state.kept[-1]["1.running_mean"], state.model[1].running_mean)
    plain = new_state("adamw", ema=None)
    train(plain, range(2))
    assert torch.equal(plain.kept[-1]["0.weight"], plain.model[0].weight)
