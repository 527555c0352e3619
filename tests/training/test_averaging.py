import copy

import pytest
import torch
from torch import nn

from trakway.training.averaging import AveragedModel


def steps(model, count):
    """Change the weights and the buffers as training does."""
    for _ in range(count):
        with torch.no_grad():
            for tensor in model.state_dict().values():
                tensor.add_(torch.randn(tensor.shape).to(tensor.dtype) if tensor.is_floating_point() else 1)
        yield


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)


@pytest.mark.parametrize("decay", [0.3, 0.9, 0.9999])
def test_the_average_is_that_of_diffusers(model, decay):
    from diffusers.training_utils import EMAModel

    averaged, expected = AveragedModel(model, decay), EMAModel(model.parameters(), decay=decay)
    for _ in steps(model, 40):
        averaged.update()
        expected.step(model.parameters())
        for found, shadow in zip(averaged.module.parameters(), expected.shadow_params, strict=True):
            torch.testing.assert_close(found, nn.Parameter(shadow), rtol=1e-5, atol=1e-6)


def test_the_average_by_hand(model):
    averaged = AveragedModel(model, 0.5)
    mean = None
    for s, _ in enumerate(steps(model, 20)):
        averaged.update()
        weight = model[0].weight.detach().double()
        decay = 0.0 if s == 0 else min(0.5, (1 + s) / (10 + s))
        mean = decay * mean + (1 - decay) * weight if s else weight
        torch.testing.assert_close(averaged.module[0].weight.detach().double(), mean, rtol=1e-5, atol=1e-6)
    assert (1 + 19) / (10 + 19) > 0.5  # both sides of the minimum have been seen


def test_buffers_are_the_models_own_and_the_model_is_left_alone(model):
    averaged = AveragedModel(model, 0.9)
    for _ in steps(model, 3):
        before = copy.deepcopy(model.state_dict())
        averaged.update()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
    for name, buffer in model.named_buffers():
        assert torch.equal(averaged.module.get_buffer(name), buffer)
    assert not torch.equal(averaged.module[0].weight, model[0].weight)
    assert averaged.module[0].weight.stride() == model[0].weight.stride()


def test_a_small_share_of_new_weights_is_not_lost_in_rounding():
    model = nn.Linear(1, 1, bias=False)
    averaged = AveragedModel(model, 0.9999)
    nn.init.zeros_(model.weight)
    averaged.update()
    averaged.updates.fill_(10**6)  # long after the warm-up
    nn.init.ones_(model.weight)
    averaged.update()
    assert averaged.module.weight.item() == pytest.approx(1e-4, rel=1e-6)
