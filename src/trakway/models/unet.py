"""The noise-predicting UNet of DDPM (Ho et al., NeurIPS 2020, appendix B), as diffusers builds it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffusers import UNet2DModel

HEAD_CHANNELS = 8  # of one attention head, diffusers' default


def build_unet(model: dict, channels: int, image_size: int) -> "UNet2DModel":
    """Build an untrained UNet: float images (B, channels, H, W) and steps (B,) to predicted noise of the same shape.

    Each stage but the last halves the feature maps. Stages whose feature maps have a side in ``attention`` attend over
    them, and so does the middle block wherever a stage does.

    Args:
        model: the ``model`` section of an experiment: ``widths`` (channels of each stage), ``layers`` (residual blocks
            a stage; one more on the way up), ``attention`` (sides; empty for none at all), ``norm_groups`` (divides
            every width).
        channels: number of image channels.
        image_size: side of the images in pixels, divisible by 2 ** (stages - 1).
    """
    from diffusers import UNet2DModel  # takes seconds

    widths, attention = model["widths"], model["attention"]
    attends = [image_size // 2**stage in attention for stage in range(len(widths))]
    return UNet2DModel(
        sample_size=image_size,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=tuple(widths),
        layers_per_block=model["layers"],
        down_block_types=tuple("AttnDownBlock2D" if attend else "DownBlock2D" for attend in attends),
        up_block_types=tuple("AttnUpBlock2D" if attend else "UpBlock2D" for attend in reversed(attends)),
        norm_num_groups=model["norm_groups"],
        attention_head_dim=min(HEAD_CHANNELS, *widths),
        add_attention=any(attends),
    )
