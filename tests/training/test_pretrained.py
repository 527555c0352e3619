import json
import os

import pytest
import torch
from safetensors.torch import load_file, save_file

from trakway.errors import UserError
from trakway.storage.fingerprint import file_digest
from trakway.training.checkpoint import load_checkpoint, save_checkpoint
from trakway.training.pretrained import load_pretrained, replacing_folder

WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def saved(denoising, tmp_path):
    model = denoising.new_model(1)
    save_checkpoint(denoising, model, tmp_path / "m")
    return model, tmp_path / "m"


def edit(path, **changes):
    config = json.loads((path / "config.json").read_text()) | changes
    (path / "config.json").write_text(json.dumps(config))


def test_a_folder_gives_the_model_back(saved, denoising):
    model, path = saved
    loaded = load_checkpoint(denoising, path, file_digest(path))
    assert not loaded.training
    assert set(loaded.state_dict()) == set(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_rounded_weights_are_used_in_float32(denoising, tmp_path):
    model = denoising.new_model(1)
    save_checkpoint(denoising, model, tmp_path / "half", "float16")
    assert all(tensor.dtype == torch.float16 for tensor in load_file(tmp_path / "half" / WEIGHTS).values())
    loaded = load_checkpoint(denoising, tmp_path / "half")
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float())


def test_the_folder_is_one_of_diffusers(saved):
    from diffusers import DDPMScheduler, UNet2DModel

    model, path = saved
    assert sorted(os.listdir(path)) == ["config.json", WEIGHTS, "scheduler_config.json"]
    again = UNet2DModel.from_pretrained(path)
    assert torch.equal(again.conv_in.weight, model.conv_in.weight)
    assert DDPMScheduler.from_pretrained(path).config.num_train_timesteps == 100


def test_the_same_model_gives_the_same_bytes(denoising, tmp_path):
    for name in ("one", "other/two"):
        save_checkpoint(denoising, denoising.new_model(1), tmp_path / name)
    assert file_digest(tmp_path / "one") == file_digest(tmp_path / "other/two")
    save_checkpoint(denoising, denoising.new_model(2), tmp_path / "one")
    assert file_digest(tmp_path / "one") != file_digest(tmp_path / "other/two")


def test_the_network_of_a_pipeline(saved, denoising, tmp_path):
    from diffusers import DDPMPipeline

    model, _ = saved
    DDPMPipeline(unet=model, scheduler=denoising.scheduler()).save_pretrained(tmp_path / "pipeline")
    for path in (tmp_path / "pipeline", tmp_path / "pipeline/unet"):
        assert torch.equal(load_checkpoint(denoising, path).conv_in.weight, model.conv_in.weight)


def test_weights_in_half_precision_are_loaded_as_float32(saved, denoising):
    model, path = saved
    model.half().save_pretrained(path)
    loaded = load_checkpoint(denoising, path)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    assert torch.equal(loaded.conv_in.weight, model.conv_in.weight.float())


def test_the_architecture_comes_from_the_folder(denoising, tmp_path):
    denoising.sizes = denoising.sizes | {"block_out_channels": (8, 16), "layers_per_block": 2}
    model = denoising.new_model(1)
    save_checkpoint(denoising, model, tmp_path / "m")
    del denoising.sizes
    assert set(load_checkpoint(denoising, tmp_path / "m").state_dict()) == set(model.state_dict())


def test_another_file_or_none(saved, denoising, tmp_path):
    _, path = saved
    with pytest.raises(UserError, match="checkpoint .*/none: not found; .* run again"):
        load_checkpoint(denoising, tmp_path / "none")
    digest = file_digest(path)
    edit(path, dropout=0.5)
    with pytest.raises(UserError, match=r"checkpoint .*/m: not the one that was recorded \(SHA-256 differs"):
        load_checkpoint(denoising, path, digest)


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_truncated_weights(saved, denoising, keep):
    _, path = saved
    (path / WEIGHTS).write_bytes((path / WEIGHTS).read_bytes()[:keep])
    with pytest.raises(UserError, match=rf"checkpoint {path}: no whole UNet2DModel in safetensors .* run again"):
        load_checkpoint(denoising, path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensors: tensors.pop("conv_in.bias"), r"do not fit config.json \(missing: conv_in.bias\)"),
        (lambda tensors: tensors.update(more=torch.ones(1)), r"do not fit config.json \(unexpected: more\)"),
        (lambda tensors: tensors.update({"conv_in.bias": torch.ones(3)}), r"(?s:.*)size mismatch for conv_in.bias"),
    ],
)
def test_weights_that_do_not_fit_the_configuration(saved, denoising, change, words):
    _, path = saved
    tensors = load_file(path / WEIGHTS)
    change(tensors)
    save_file(tensors, path / WEIGHTS)
    with pytest.raises(UserError, match=rf"checkpoint {path}: (?s:.*){words}(?s:.*) run again"):
        load_checkpoint(denoising, path)


@pytest.mark.parametrize("content", [None, "", "{", "[]", "3", "{}", '{"_class_name": "UNet2DConditionModel"}'])
def test_a_folder_that_describes_no_network_of_images(saved, denoising, content):
    _, path = saved
    if content is None:
        (path / "config.json").unlink()
    else:
        (path / "config.json").write_text(content)
    with pytest.raises(UserError, match=rf"checkpoint {path}: config.json .*(not describe|allowed: 'UNet2DModel')"):
        load_checkpoint(denoising, path)


@pytest.mark.parametrize(
    "change", [{"block_out_channels": "wide"}, {"down_block_types": ["NoBlock", "NoBlock"]}, {"norm_num_groups": 3}]
)
def test_a_configuration_that_cannot_be_built(saved, denoising, change):
    _, path = saved
    edit(path, **change)
    with pytest.raises(UserError, match=rf"checkpoint {path}: no whole UNet2DModel"):
        load_checkpoint(denoising, path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sample_size": 16}, "sample_size is 16, not 8"),
        ({"sample_size": (8, 16)}, r"sample_size is \[8, 16\], not 8"),
        ({"in_channels": 3}, "in_channels is 3, not 1"),
        ({"out_channels": 2}, "out_channels is 2, not 1"),
        ({"time_embedding_type": "fourier"}, "time_embedding_type is fourier, not positional"),
        ({"num_class_embeds": 10}, "num_class_embeds is 10, not None"),
        ({"in_channels": 3, "out_channels": 6}, "in_channels is 3, not 1; out_channels is 6, not 1"),
    ],
)
def test_a_network_for_other_images(denoising, tmp_path, change, words):
    denoising.sizes = denoising.sizes | change
    save_checkpoint(denoising, denoising.new_model(0), tmp_path / "m")
    del denoising.sizes
    with pytest.raises(UserError, match=rf"checkpoint .*/m: does not fit the model of this experiment: {words}; "):
        load_checkpoint(denoising, tmp_path / "m")


@pytest.mark.parametrize("size", [None, (8, 8), [8, 8]])
def test_a_size_in_other_words_fits(saved, denoising, size):
    _, path = saved
    edit(path, sample_size=size)
    load_checkpoint(denoising, path)


def test_a_missing_folder_is_not_looked_for_on_the_network(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="checkpoint google/ddpm-cifar10-32: .*config.json.*; advice"):
        load_pretrained("google/ddpm-cifar10-32", "UNet2DModel", "advice")


@pytest.mark.parametrize("older", [None, "file", "folder"])
def test_a_folder_replaces_what_was_there_as_a_whole(tmp_path, older):
    path = tmp_path / "sub/f"
    if older == "file":
        path.parent.mkdir()
        path.write_text("1")
    elif older == "folder":
        path.mkdir(parents=True)
        (path / "old").write_text("1")
    with replacing_folder(path) as fresh:
        (fresh / "a").write_text("2")
        (fresh / "b").mkdir()
        (fresh / "b/c").write_text("3")
        assert path.exists() == (older is not None)
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")) == [
        "sub",
        "sub/f",
        "sub/f/a",
        "sub/f/b",
        "sub/f/b/c",
    ]


def test_an_error_leaves_the_older_folder_as_it_was(tmp_path):
    path = tmp_path / "f"
    path.mkdir()
    (path / "old").write_text("1")

    def write():
        with replacing_folder(path) as fresh:
            (fresh / "new").write_text("2")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write()
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")) == ["f", "f/old"]
