"""The autoencoder of latent diffusion (Rombach et al., CVPR 2022, section 3.1), as diffusers builds it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffusers import AutoencoderKL


def build(
    shape: tuple[int, int, int],
    classes: int,
    *,
    widths: Sequence[int] = (16, 32, 64),
    layers: int = 1,
    latent_channels: int = 4,
    attention: bool = False,
    norm_groups: int = 8,
    kl_weight: float = 1e-6,
) -> "AutoencoderKL":
    """Build an untrained autoencoder: float images (B, C, H, W) to latents of a side smaller by 2 ** (stages - 1).

    Args:
        shape: channels, height and width of the images, square, the side divisible by 2 ** (stages - 1).
        classes: not used.
        widths: channels of each stage, of which all but the last halve the feature maps.
        layers: residual blocks a stage; one more on the way up.
        latent_channels: of a latent.
        attention: whether the middle blocks attend.
        norm_groups: of the group norms; divides every width.
        kl_weight: of the divergence from the normal distribution in the loss of training;
            decides nothing here.
    """
    import torch
    from diffusers import AutoencoderKL  # takes seconds

    channels, side, _ = shape
    network = AutoencoderKL(
        in_channels=channels,
        out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        block_out_channels=tuple(widths),
        layers_per_block=layers,
        latent_channels=latent_channels,
        norm_num_groups=norm_groups,
        sample_size=side,
        mid_block_add_attention=attention,
        scaling_factor=1.0,
    )
    return network.to(memory_format=torch.channels_last)


def faults(options: dict, side: int | None) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with options before anything is built: key, what is allowed, advice; see `unet.faults`."""
    from trakway.models.unet import faults as of_unet

    yield from of_unet(options | {"attention": ()}, side)
    if options["latent_channels"] < 1:
        yield "latent_channels", "a whole number >= 1", "Raise it."
    if options["kl_weight"] < 0:
        yield "kl_weight", "a number >= 0", "Raise it."
