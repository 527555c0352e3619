"""Checkpoints of other programs: read where that is right, told what is there where not."""

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from trakway.errors import UserError
from trakway.training import adopt, load_model
from trakway.training.checkpoint import load_tensors, save_tensors
from trakway.training.foreign import unwrapped

STEM = "diffusion_pytorch_model"


@pytest.fixture
def saved(denoising, tmp_path):
    """A network of diffusers, in a folder, and its weights."""
    model = denoising.new_model(1)
    model.save_pretrained(tmp_path / "network")
    return model.state_dict(), tmp_path / "network"


def adopted(task, path):
    (described,), *_ = adopt(task, [path], range(1))
    return load_model(task, path, described).state_dict()


def same(found, expected) -> bool:
    return set(found) == set(expected) and all(torch.equal(found[name], expected[name]) for name in expected)


def half(weights):
    return {name: tensor.half() for name, tensor in weights.items()}


def wrapped(weights, prefix="module."):
    return {prefix + name: tensor for name, tensor in weights.items()}


def test_half_precision(denoising, saved):
    """Of both the whole one is read, of the half one alone the half one, in float32."""
    weights, folder = saved
    save_file(half(weights), folder / f"{STEM}.fp16.safetensors", {"format": "pt"})
    assert same(adopted(denoising, folder), weights)
    (folder / f"{STEM}.safetensors").unlink()
    assert same(adopted(denoising, folder), {name: tensor.float() for name, tensor in half(weights).items()})


@pytest.mark.parametrize("prefix", ["", "module.", "module._orig_mod."])
@pytest.mark.parametrize("suffix", ["bin", "safetensors"])
def test_other_formats_and_names(denoising, saved, suffix, prefix):
    weights, folder = saved
    (folder / f"{STEM}.safetensors").unlink()
    named = wrapped(weights, prefix)
    if suffix == "bin":
        torch.save(named, folder / f"{STEM}.bin")
    else:
        save_file(named, folder / f"{STEM}.safetensors", {"format": "pt"})
    assert same(adopted(denoising, folder), weights)


class Trap:
    """What runs where a pickle is loaded without care."""

    def __reduce__(self):
        return print, ("run",)


def test_a_pickle_is_never_run(denoising, task, saved, tmp_path, capsys):
    weights, folder = saved
    (folder / f"{STEM}.safetensors").unlink()
    torch.save(weights | {"trap": Trap()}, folder / f"{STEM}.bin")
    with pytest.raises(UserError, match=rf"members.checkpoints: checkpoint .*/network: .*found .*{STEM}.bin.*; list"):
        adopted(denoising, folder)
    torch.save({"trap": Trap()}, tmp_path / "mine.pt")
    with pytest.raises(UserError, match="mine.pt: holds more than tensors, which is never loaded.* as safetensors"):
        adopted(task, tmp_path / "mine.pt")
    assert "run" not in capsys.readouterr().out


def test_the_average_beside_the_network(denoising, saved, tmp_path):
    """As training programs of diffusers leave it: which of the two is meant has to be said."""
    weights, folder = saved
    checkpoint = tmp_path / "checkpoint-500"
    shutil.copytree(folder, checkpoint / "unet")
    denoising.new_model(2).save_pretrained(checkpoint / "unet_ema")
    with pytest.raises(
        UserError, match=rf"found unet, .* and unet_ema, .*; name {checkpoint}/unet_ema or {checkpoint}/unet$"
    ):
        adopted(denoising, checkpoint)
    assert same(adopted(denoising, checkpoint / "unet"), weights)
    assert same(adopted(denoising, checkpoint / "unet_ema"), denoising.new_model(2).state_dict())
    shutil.rmtree(checkpoint / "unet")
    assert same(adopted(denoising, checkpoint), denoising.new_model(2).state_dict())


def test_a_network_named_within_its_pipeline_has_its_schedule(denoising, saved, tmp_path):
    from diffusers import DDPMScheduler

    _, folder = saved
    shutil.copytree(folder, tmp_path / "pipeline/unet_ema")
    DDPMScheduler(100, beta_end=0.5).save_pretrained(tmp_path / "pipeline/scheduler")
    with pytest.raises(
        UserError, match="beta_end 0.5, .*; set timesteps, schedule, beta_start, beta_end and prediction"
    ):
        adopted(denoising, tmp_path / "pipeline/unet_ema")


@pytest.mark.parametrize("inner", [None, "state_dict", "model"])
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt"])
def test_state_dicts_of_torch(task, tmp_path, suffix, inner):
    weights = task.new_model(3).state_dict()
    kept = wrapped(weights)
    torch.save({inner: kept, "epoch": 3} if inner else kept, tmp_path / f"mine{suffix}")
    assert same(adopted(task, tmp_path / f"mine{suffix}"), weights)


def test_what_is_no_state_dict(tmp_path):
    torch.save({"epoch": 3, "loss": torch.zeros(())}, tmp_path / "mine.pt")
    with pytest.raises(UserError, match="found the keys epoch, loss; allowed: a state dict, or one under state_dict"):
        load_tensors(tmp_path / "mine.pt")


def test_only_what_all_names_begin_with_is_left_out():
    names = {"module.a": torch.zeros(1), "b": torch.zeros(1)}
    assert set(unwrapped(names)) == {"module.a", "b"}
    assert unwrapped({}) == {}


def test_files_of_safetensors_without_their_wrapper(task, tmp_path):
    weights = task.new_model(3).state_dict()
    save_tensors(tmp_path / "mine.safetensors", wrapped(weights))
    assert same(adopted(task, tmp_path / "mine.safetensors"), weights)
    assert set(load_file(tmp_path / "mine.safetensors")) == set(wrapped(weights))
