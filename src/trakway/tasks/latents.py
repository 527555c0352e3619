"""What is computed once of captioned pictures for all models: latents of a frozen autoencoder, and states of captions.

The latents that a diffusion model sees have mean 0 and deviation 1 in every channel. For an autoencoder that was
trained here this is made part of it, of the 1x1 convolutions around its codes, so that plain diffusers decodes them; of
a user's own its ``scaling_factor`` (and ``shift_factor``) is used.
"""

import copy
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trakway.data.captioned import CaptionData
from trakway.data.images import ImageData
from trakway.data.latents import CAPTIONS, DESCRIPTION, STATES
from trakway.errors import UserError
from trakway.models.pretrained import check_whole, contents, how
from trakway.models.text_encoder import TextEncoder
from trakway.plan.loading import load
from trakway.plan.options import options_of
from trakway.plan.places import is_own
from trakway.runtime import resources
from trakway.storage.files import write_json, write_table
from trakway.storage.fingerprint import file_digest, fingerprint
from trakway.storage.resumable import Part, fill_arrays, row_blocks

AUTOENCODER = "autoencoder"
LEAST = 0.4  # deviation of latents below which, and above whose inverse, a person is told
BLOCK = 64  # pictures or captions that go through a network at a time; decides the last bits


class Autoencoder:
    """An ``AutoencoderKL`` of diffusers, between pictures in [-1, 1] and the latents that a diffusion model sees."""

    def __init__(self, network: nn.Module):
        self.network = network.eval().requires_grad_(False)
        self.scale = network.config.scaling_factor
        self.shift = getattr(network.config, "shift_factor", None) or 0.0

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return next(self.network.parameters()).device

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Return latents (B, c, h, w), the means of their distributions, of pictures (B, C, H, W)."""
        return (self.network.encode(pictures.to(self.device)).latent_dist.mean - self.shift) * self.scale

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Return pictures (B, C, H, W) of latents (B, c, h, w)."""
        return self.network.decode(latents.to(self.device) / self.scale + self.shift).sample


def load_autoencoder(path: str | Path) -> nn.Module:
    """Return the ``AutoencoderKL`` of a folder, or of that of a pipeline, on the CPU.

    Raises:
        UserError: there is none, or it is not whole.
    """
    from diffusers import AutoencoderKL

    folder = Path(path).expanduser()
    folder = folder / "vae" if (folder / "vae").is_dir() else folder
    key = "autoencoder.pretrained"
    try:
        network, info = AutoencoderKL.from_pretrained(
            folder, local_files_only=True, low_cpu_mem_usage=False, output_loading_info=True, **how(folder)
        )
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, pickle.UnpicklingError) as error:
        said = " ".join(str(error).split())
        raise UserError(
            f"{key}: {folder} holds no whole AutoencoderKL of diffusers ({said[:300]}); found {contents(folder)};"
            " allowed: a folder that save_pretrained of one, or of a pipeline around one, has written"
        ) from None
    check_whole(key, folder, network, info["missing_keys"])
    return network


def encode(model: dict, pictures: CaptionData, data: Path, device: str, network: nn.Module, standardise: bool) -> dict:
    """Encode pictures and captions, and write all that `trakway.data.latents.Latents` reads; returns the cost.

    Args:
        model: the section ``model``: options of `trakway.models.unet_text.build`.
        pictures: of both splits, with their captions.
        data: folder of the prepared data, into which the files go.
        device: where autoencoder and text encoder run.
        network: the autoencoder.
        standardise: whether it is changed so that its latents have mean 0 and deviation 1.

    Raises:
        UserError: an autoencoder for other pictures, or no such text encoder.
    """
    images = pictures.images
    _check(network, images.shape)
    counts = {split: len(labels) for split, labels in (("train", images.train_labels), ("test", images.test_labels))}
    with resources.measured() as cost:
        network = network.to(device)
        if standardise:
            network = standardised(network, images)
        network.save_pretrained(data / AUTOENCODER)
        encoder = TextEncoder(model["text_encoder"], model["max_length"])
        captions = ["", *sorted({c for split in pictures.captions.values() for of_one in split for c in of_one})]
        tokens, most = np.array(encoder.tokens(captions)), model["max_length"]
        cut = int((tokens > most).sum())
        write_table(data / CAPTIONS, pd.DataFrame({"caption": captions, "tokens": tokens.clip(max=most)}))
    autoencoder, encoder.model = Autoencoder(network), encoder.model.to(device)
    mark = fingerprint(model, file_digest(data / AUTOENCODER), captions, [file_digest(data / "examples.parquet")])
    shape = autoencoder.encode(images.centred("train", slice(1))).shape[1:]
    _check_network(model, shape[-1])
    width = encoder.model.config.hidden_size
    parts = [
        Part(
            [data / f"{split}_latents.npy"],
            [(count, *shape)],
            row_blocks(count, BLOCK),
            lambda rows, split=split: (autoencoder.encode(images.centred(split, rows)).cpu().numpy(),),
        )
        for split, count in counts.items()
    ]
    states = Part(
        [data / STATES],
        [(len(captions), most, width)],
        row_blocks(len(captions), BLOCK),
        lambda rows: (encoder(captions[rows]).cpu().numpy(),),
    )
    blocks = fill_arrays([*parts, states], mark, "blocks of pictures and captions encoded")
    if not standardise:
        _note_deviation(autoencoder, images)
    if cut:
        print(f"note: {cut} of {len(captions)} captions have more than model.max_length = {most} tokens and were cut")
    written = [AUTOENCODER, CAPTIONS, STATES, *(f"{split}_latents.npy" for split in counts)]
    write_json(
        data / DESCRIPTION,
        {
            "counts": counts,
            "truncated": cut,
            "files": {name: file_digest(data / name) for name in written},
        },
    )
    return resources.add(cost, blocks)


def _note_deviation(autoencoder: Autoencoder, images: ImageData) -> None:
    """Say where latents are much larger or smaller than noise schedules are made for."""
    deviation = float(autoencoder.encode(images.centred("train", slice(BLOCK))).std())
    if not LEAST <= deviation <= 1 / LEAST:
        print(
            f"note: the latents of autoencoder.pretrained have a deviation of {deviation:.2g}, and noise schedules are"
            f" made for one near 1; is scaling_factor: {autoencoder.scale:g} in its config.json right for these"
            " pictures?"
        )


def encode_captions(model: dict, captions: Sequence[str], device: str) -> tuple[list[int], np.ndarray]:
    """Return how many tokens captions have, padding apart, and their states, float32 (captions, L, d); each by itself.

    Args:
        model: the section ``model``.
        captions: one at least.
        device: where the text encoder runs.
    """
    encoder, most = TextEncoder(model["text_encoder"], model["max_length"]), model["max_length"]
    tokens = encoder.tokens(captions)
    for caption, count in zip(captions, tokens, strict=True):
        if count > most:
            print(f"note: the caption {caption!r} has more than model.max_length = {most} tokens and was cut")
    encoder.model = encoder.model.to(device)
    states = np.concatenate([encoder([caption]).cpu().numpy() for caption in captions])
    return [min(count, most) for count in tokens], states


@torch.no_grad()
def standardised(network: nn.Module, images: ImageData) -> nn.Module:
    """Return an autoencoder of the same function whose latents have mean 0 and deviation 1 in every channel.

    Args:
        network: an ``AutoencoderKL`` with the 1x1 convolutions ``quant_conv`` and ``post_quant_conv``.
        images: whose training split counts.
    """
    network = copy.deepcopy(network).eval()
    device = next(network.parameters()).device
    total = square = count = 0.0
    for block in row_blocks(len(images.train_labels), BLOCK):
        codes = network.encode(images.centred("train", block).to(device)).latent_dist.mean.double()
        total, square = total + codes.sum((0, 2, 3)), square + codes.square().sum((0, 2, 3))
        count += codes[:, 0].numel()
    mean = total / count
    deviation = (square / count - mean.square()).clamp(min=1e-12).sqrt()
    before, after = network.quant_conv, network.post_quant_conv
    channels = len(mean)
    # Means are less the mean, over the deviation; of the logarithms of variances twice that of the deviation is taken.
    weight, bias = before.weight.double(), before.bias.double()
    scale = deviation.view(-1, 1, 1, 1)
    weight[:channels] /= scale
    bias[:channels] = (bias[:channels] - mean) / deviation
    bias[channels:] -= 2 * deviation.log()
    before.weight.copy_(weight)
    before.bias.copy_(bias)
    inverse = after.weight.double()
    after.bias.copy_(after.bias.double() + (inverse[:, :, 0, 0] * mean).sum(1))
    after.weight.copy_(inverse * deviation.view(1, -1, 1, 1))
    return network


def fits(network: nn.Module, shape: Sequence[int]) -> bool:
    """Whether an autoencoder takes pictures of a shape: as many channels, and a side that it can halve."""
    channels, side, _ = shape
    return network.config.in_channels == channels and side % _smaller(network) == 0


def _smaller(network: nn.Module) -> int:
    """Return by how much the side of a latent is smaller than that of its picture."""
    return 2 ** (len(network.config.block_out_channels) - 1)


def _check(network: nn.Module, shape: Sequence[int]) -> None:
    """Check that an autoencoder is one of pictures like these.

    Raises:
        UserError: it has other channels, or the side cannot be halved as often as it halves.
    """
    if not fits(network, shape):
        smaller = _smaller(network)
        raise UserError(
            f"autoencoder: found one of pictures with {network.config.in_channels} channels whose latents are {smaller}"
            f" times smaller, and the pictures have {shape[0]} channels and a side of {shape[1]}; allowed: as many"
            f" channels, and a side that is a multiple of {smaller}; change dataset.image_size or the autoencoder"
        )


def _check_network(model: dict, side: int) -> None:
    """Check that a network of the library can be built on latents of a side.

    Raises:
        UserError: its stages cannot halve the latents, or none has feature maps of a side in ``attention``.
    """
    if is_own(model["name"]):
        return
    options = options_of("model", model)
    for option, allowed, advice in load("model", model["name"], "faults")(options, side):
        found = options[option.split(".")[0]]
        raise UserError(
            f"model.{option}: found {found}, and latents have a side of {side}; allowed: {allowed}. {advice}"
        )
