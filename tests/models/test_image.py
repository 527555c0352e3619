import pytest
import torch

from trakway.models import build_model
from trakway.plan import modalities

MODELS = modalities()["image_classification"].models


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_name_builds_a_classifier(name, channels):
    with torch.device("meta"):  # shapes alone: nothing is drawn or computed
        model = build_model({"name": name, "widths": None}, (channels, 28, 28), 7).eval()
        assert model(torch.empty(2, channels, 64, 64)).shape == (2, 7)


def test_options_reach_the_model():
    assert build_model({"name": "resnet_small", "widths": [3, 5, 9]}, (1, 28, 28), 2).fc.in_features == 9
    assert build_model({"name": "resnet_small", "widths": None}, (1, 28, 28), 2).fc.in_features == 64
    assert build_model({"name": "resnet9", "scale": 0.5}, (1, 28, 28), 2).scale == 0.5


def test_the_stem_of_a_torchvision_model_changes_its_channels_alone():
    with torch.device("meta"):
        grey, colour = (build_model({"name": "resnet18"}, (channels, 28, 28), 2).conv1 for channels in (1, 3))
    for name in ("out_channels", "kernel_size", "stride", "padding", "bias"):
        assert getattr(grey, name) == getattr(colour, name)


def test_initial_weights_come_from_the_global_generator():
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(build_model({"name": "resnet_small", "widths": [4, 8]}, (1, 28, 28), 2).stem.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
