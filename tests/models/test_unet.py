import subprocess
import sys

import pytest
import torch

from trakway.models import build_model

SMALL = {"name": "unet", "widths": [8, 16, 16], "layers": 1, "attention": [], "norm_groups": 4}
CIFAR10 = {"name": "unet", "widths": [128, 256, 256, 256], "layers": 2, "attention": [16], "norm_groups": 32}


def attending(model):
    """Return the blocks that attend, and how many attention layers each has."""
    blocks = {f"down{i}": block for i, block in enumerate(model.down_blocks)}
    blocks |= {"mid": model.mid_block} | {f"up{i}": block for i, block in enumerate(model.up_blocks)}
    counts = {
        name: sum(type(module).__name__ == "Attention" for module in block.modules()) for name, block in blocks.items()
    }
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize(
    ("side", "attention", "blocks"),
    [
        (8, [], {}),
        (8, [8], {"down0": 1, "mid": 1, "up2": 2}),
        (8, [2], {"down2": 1, "mid": 1, "up0": 2}),
        (16, [8, 4], {"down1": 1, "down2": 1, "mid": 1, "up0": 2, "up1": 2}),
    ],
)
def test_attention_is_at_the_sides_asked_for(side, attention, blocks):
    with torch.device("meta"):
        model = build_model(SMALL | {"attention": attention}, (1, side, side), 10)
        noise = model(torch.empty(2, 1, side, side), torch.empty(2, dtype=torch.int64), return_dict=False)[0]
    assert attending(model) == blocks
    assert noise.shape == (2, 1, side, side)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_the_settings_say_is_built(channels):
    with torch.device("meta"):
        model = build_model(SMALL | {"layers": 3}, (channels, 8, 8), 10)
    assert (model.conv_in.in_channels, model.conv_out.out_channels) == (channels, channels)
    assert [block.resnets[0].out_channels for block in model.down_blocks] == [8, 16, 16]
    assert [len(block.resnets) for block in (*model.down_blocks, *model.up_blocks)] == [3] * 3 + [4] * 3
    norms = [module for module in model.modules() if isinstance(module, torch.nn.GroupNorm)]
    assert {norm.num_groups for norm in norms} == {4}
    assert model.config.sample_size == 8  # a checkpoint folder tells what it was trained on


def test_feature_maps_are_halved_by_each_stage_but_the_last():
    sides = []
    model = build_model(SMALL, (1, 12, 12), 10)
    for block in model.down_blocks:
        block.resnets[0].register_forward_hook(lambda module, inputs, output: sides.append(output.shape[-1]))
    model(torch.zeros(1, 1, 12, 12), torch.zeros(1, dtype=torch.int64))
    assert sides == [12, 6, 3]


def test_the_network_of_the_cifar10_papers():
    with torch.device("meta"):
        model = build_model(CIFAR10, (3, 32, 32), 10)
    assert sum(parameter.numel() for parameter in model.parameters()) == 35_746_307
    assert attending(model) == {"down1": 2, "mid": 1, "up2": 3}


@pytest.mark.parametrize(("widths", "heads"), [([4, 8], 1), ([16, 32], 2)])
def test_attention_heads_fit_the_narrowest_stage(widths, heads):
    model = build_model(SMALL | {"widths": widths, "attention": [8, 4]}, (1, 8, 8), 10)
    assert model.down_blocks[0].attentions[0].heads == heads
    images = torch.randn(2, 1, 8, 8)
    assert torch.isfinite(model(images, torch.tensor([3, 900]), return_dict=False)[0]).all()


def test_the_prediction_depends_on_image_and_step_and_on_no_other_example():
    torch.manual_seed(0)
    model = build_model(SMALL | {"attention": [4]}, (1, 8, 8), 10).double().eval()
    images, steps = torch.randn(3, 1, 8, 8, dtype=torch.float64), torch.tensor([0, 500, 999])
    with torch.no_grad():
        together = model(images, steps, return_dict=False)[0]
        alone = [model(images[i : i + 1], steps[i : i + 1], return_dict=False)[0] for i in range(3)]
        other = model(images, steps.flip(0), return_dict=False)[0]
    torch.testing.assert_close(together, torch.cat(alone))
    assert not torch.allclose(together[0], other[0])
    torch.testing.assert_close(together[1], other[1])


def test_initial_weights_come_from_the_global_generator():
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(build_model(SMALL, (1, 8, 8), 10).conv_in.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_classifiers_do_not_wait_for_diffusers(environment):
    code = "import sys, trakway.models; print('diffusers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
