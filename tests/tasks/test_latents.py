import shutil
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from trakway.data.captioned import CaptionData
from trakway.data.latents import Latents
from trakway.errors import UserError
from trakway.models import build_model
from trakway.models.text_encoder import TextEncoder
from trakway.tasks.latents import AUTOENCODER, Autoencoder, encode, load_autoencoder, standardised

AUTOENCODER_MODEL = {"name": "autoencoder", "widths": [4, 8], "latent_channels": 3, "norm_groups": 2}


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_model(AUTOENCODER_MODEL, (1, 16, 16), 0).eval()


@pytest.fixture(scope="module")
def pictures(captioned):
    return CaptionData.load(captioned)


def settings_of(folder, **options):
    return {"name": "unet_text", "text_encoder": str(folder), "max_length": 8} | options


@pytest.fixture(scope="module")
def encoded(captioned, tiny_bert, network, pictures, tmp_path_factory):
    data = tmp_path_factory.mktemp("encoded") / "data"
    shutil.copytree(captioned, data)
    encode(settings_of(tiny_bert), pictures, data, "cpu", network, standardise=True)
    return data


def scaled(images):
    return torch.from_numpy(np.array(images)).float() / 127.5 - 1


@torch.no_grad()
def test_standardised_latents_have_mean_0_and_deviation_1_and_the_same_pictures(network, pictures):
    images = pictures.images.train_images
    changed = standardised(network, pictures.images)
    before, after = (model.encode(scaled(images)).latent_dist for model in (network, changed))
    torch.testing.assert_close(after.mean.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(after.mean.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4, rtol=0)
    deviation = before.mean.std((0, 2, 3), correction=0).view(1, -1, 1, 1)
    torch.testing.assert_close(after.std * deviation, before.std, rtol=1e-3, atol=1e-5)
    for drawn in (before, after):
        drawn.noise = before.mean + 0.3 * before.std
    expected = network.decode(before.mean).sample
    torch.testing.assert_close(changed.decode(after.mean).sample, expected, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(before.mean, after.mean, atol=0.1)


@torch.no_grad()
def test_latents_are_those_of_plain_diffusers(encoded, pictures):
    latents = Latents.load(encoded)
    plain = load_autoencoder(encoded / AUTOENCODER)
    assert latents.shape == (3, 8, 8)
    for split, images in (("train", pictures.images.train_images), ("test", pictures.images.test_images)):
        assert latents.arrays[split].shape == (len(images), 3, 8, 8)
        expected = plain.encode(scaled(images)).latent_dist.mean * plain.config.scaling_factor
        np.testing.assert_allclose(latents.arrays[split], expected, rtol=1e-4, atol=1e-5)
    some = torch.from_numpy(np.array(latents.arrays["test"][:3]))
    expected = plain.decode(some / plain.config.scaling_factor).sample
    torch.testing.assert_close(Autoencoder(plain).decode(some), expected, rtol=1e-4, atol=1e-5)


def test_states_are_those_of_plain_transformers(encoded, pictures, tiny_bert):
    latents = Latents.load(encoded)
    every = {caption for split in pictures.captions.values() for of_one in split for caption in of_one}
    assert latents.captions[0] == ""
    assert set(latents.captions[1:]) == every
    assert latents.states.shape == (len(every) + 1, 8, 8)
    tokenizer, model = AutoTokenizer.from_pretrained(tiny_bert), AutoModel.from_pretrained(tiny_bert).eval()
    for number in (0, 1, len(every)):
        given = tokenizer(latents.captions[number], return_tensors="pt", truncation=True, max_length=8)
        with torch.no_grad():
            expected = model(**given).last_hidden_state[0]
        np.testing.assert_allclose(latents.states[number][: len(expected)], expected, rtol=1e-4, atol=1e-5)


def test_encoding_again_gives_the_same_bytes(encoded, captioned, tiny_bert, network, pictures, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(captioned, data)
    encode(settings_of(tiny_bert), pictures, data, "cpu", network, standardise=True)
    files = [file for file in data.rglob("*") if file.is_file()]
    assert len(files) > 8
    for file in files:
        assert file.read_bytes() == (encoded / file.relative_to(data)).read_bytes(), file.name


def test_interrupted_encoding_goes_on_where_it_was(
    encoded, captioned, tiny_bert, network, pictures, tmp_path, monkeypatch
):
    data = tmp_path / "data"
    shutil.copytree(captioned, data)

    def interrupted(encoder, captions):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("trakway.storage.resumable.SAVE_SECONDS", -1.0)
        patch.setattr(TextEncoder, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            encode(settings_of(tiny_bert), pictures, data, "cpu", network, standardise=True)
    assert not (data / "train_latents.npy").exists()
    seen = []
    whole = Autoencoder.encode
    monkeypatch.setattr(Autoencoder, "encode", lambda self, block: seen.append(len(block)) or whole(self, block))
    encode(settings_of(tiny_bert), pictures, data, "cpu", network, standardise=True)
    assert seen == [1]  # for the shape: no picture is encoded again
    for name in ("train_latents.npy", "test_latents.npy", "caption_states.npy", "encoding.json"):
        assert (data / name).read_bytes() == (encoded / name).read_bytes(), name


def test_a_pretrained_autoencoder_is_taken_as_it_is(captioned, tiny_bert, network, pictures, tmp_path):
    network.register_to_config(scaling_factor=0.5, shift_factor=0.25)
    network.save_pretrained(tmp_path / "pipeline" / "vae")
    network.register_to_config(scaling_factor=1.0, shift_factor=None)
    shutil.copytree(captioned, tmp_path / "data")
    found = load_autoencoder(tmp_path / "pipeline")
    encode(settings_of(tiny_bert), pictures, tmp_path / "data", "cpu", found, standardise=False)
    latents = Latents.load(tmp_path / "data")
    with torch.no_grad():
        codes = network.encode(scaled(pictures.images.test_images)).latent_dist.mean
        expected = network.decode(codes).sample
    np.testing.assert_allclose(latents.arrays["test"], (codes - 0.25) * 0.5, rtol=1e-4, atol=1e-5)
    decoded = Autoencoder(found).decode(torch.from_numpy(np.array(latents.arrays["test"])))
    torch.testing.assert_close(decoded, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("deviation", "told"), [(1.0, False), (2.0, False), (0.1, True), (10.0, True)])
def test_latents_of_another_size_than_noise(captioned, tiny_bert, network, pictures, tmp_path, capsys, deviation, told):
    with torch.no_grad():
        codes = network.encode(scaled(pictures.images.train_images)).latent_dist.mean
    scale = deviation / float(codes.std())
    other = type(network).from_config(network.config, scaling_factor=scale).eval()
    other.load_state_dict(network.state_dict())
    shutil.copytree(captioned, tmp_path / "data")
    encode(settings_of(tiny_bert), pictures, tmp_path / "data", "cpu", other, standardise=False)
    note = f"note: the latents of autoencoder.pretrained have a deviation of {deviation:.2g}, and noise schedules"
    assert (note in capsys.readouterr().out) == told


@pytest.mark.parametrize(
    ("shape", "message"),
    [((3, 16, 16), "found one of pictures with 3 channels.*1 channels and a side of 16")],
)
def test_an_autoencoder_of_other_pictures(tiny_bert, pictures, tmp_path, shape, message):
    other = build_model(AUTOENCODER_MODEL, shape, 0)
    with pytest.raises(UserError, match=message):
        encode(settings_of(tiny_bert), pictures, tmp_path, "cpu", other, standardise=True)
    assert not list(tmp_path.iterdir())


def test_no_autoencoder(tmp_path):
    with pytest.raises(UserError, match=r"autoencoder.pretrained: .*holds no whole AutoencoderKL.*allowed: a folder"):
        load_autoencoder(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda tensors: {name: t for name, t in tensors.items() if "encoder." not in name},
            "lacks .* weights, e.g. encoder",
        ),
        (lambda tensors: {f"module.{name}": t for name, t in tensors.items()}, "lacks .* weights"),
        (lambda tensors: tensors | {"decoder.conv_in.bias": tensors["decoder.conv_in.bias"] * float("nan")}, "NaN"),
    ],
)
def test_an_autoencoder_that_is_not_whole(network, tmp_path, change, message):
    network.save_pretrained(tmp_path)
    file = tmp_path / "diffusion_pytorch_model.safetensors"
    save_file(change(load_file(file)), file)
    with pytest.raises(UserError, match=f"^autoencoder.pretrained: .*{message}"):
        load_autoencoder(tmp_path)


@pytest.mark.parametrize("options", [{"variant": "fp16"}, {"safe_serialization": False}])
def test_an_autoencoder_in_other_files(network, tmp_path, options):
    network.save_pretrained(tmp_path, **options)
    found = load_autoencoder(tmp_path)
    assert all(map(torch.equal, found.state_dict().values(), network.state_dict().values()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: {name: t for name, t in tensors.items() if "layer.0" not in name}, "lacks .* weights"),
        (lambda tensors: {f"module.{name}": t for name, t in tensors.items()}, "lacks .* weights"),
        (lambda tensors: {name: t * float("nan") for name, t in tensors.items()}, "NaN"),
        (lambda tensors: {name: t for name, t in tensors.items() if "pooler" not in name}, None),
    ],
)
def test_an_encoder_of_texts_that_is_not_whole(tiny_bert, tmp_path, change, message):
    shutil.copytree(tiny_bert, tmp_path / "bert")
    file = tmp_path / "bert/model.safetensors"
    save_file(change(load_file(file)), file, {"format": "pt"})
    refused = pytest.raises(UserError, match=f"^model.text_encoder: .*{message}") if message else nullcontext()
    with refused:
        TextEncoder(str(tmp_path / "bert"), 8)


def test_a_set_that_is_not_encoded(captioned):
    with pytest.raises(UserError, match="not encoded as a whole"):
        Latents.load(captioned)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text_encoder": "nowhere"}, "model.text_encoder: found 'nowhere'.* finds no encoder of texts"),
        ({"max_length": 40}, "model.max_length: found 40; allowed: at most 16"),
        ({"widths": [8] * 5}, r"model.widths: found \[8, 8, 8, 8, 8\], and latents have a side of 8; allowed: stages"),
        ({"attention": [8, 5]}, r"model.attention.1: found \[8, 5\], .* allowed: the sides .*: 8, 4"),
    ],
)
def test_mistakes(captioned, tiny_bert, network, pictures, tmp_path, options, message):
    shutil.copytree(captioned, tmp_path / "data")
    with pytest.raises(UserError, match=message):
        encode(settings_of(tiny_bert, **options), pictures, tmp_path / "data", "cpu", network, standardise=True)
