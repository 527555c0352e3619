"""The noise-predicting UNet of DDPM (Ho et al., NeurIPS 2020, appendix B), as diffusers builds it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffusers import UNet2DModel

HEAD_CHANNELS = 8  # of one attention head, diffusers' default


def build(
    shape: tuple[int, int, int],
    classes: int,
    *,
    widths: Sequence[int] = (32, 64),
    layers: int = 2,
    attention: Sequence[int] = (),
    norm_groups: int = 8,
) -> "UNet2DModel":
    """Build an untrained UNet: float images (B, C, H, W) and steps (B,) to predicted noise of the same shape.

    Each stage but the last halves the feature maps. Stages whose feature maps have a side in ``attention`` attend over
    them, and so does the middle block wherever a stage does.

    Args:
        shape: channels, height and width of the images, square, the side divisible by 2 ** (stages - 1).
        classes: of the data; the noise is predicted without them.
        widths: channels of each stage.
        layers: residual blocks a stage; one more on the way up.
        attention: sides of the feature maps with attention; empty for none at all.
        norm_groups: of the group norms; divides every width.
    """
    from diffusers import UNet2DModel  # takes seconds

    described = stages(shape, widths, layers, attention, norm_groups, "Attn")
    return UNet2DModel(
        **described, add_attention=any(kind.startswith("Attn") for kind in described["down_block_types"])
    )


def stages(
    shape: tuple[int, int, int],
    widths: Sequence[int],
    layers: int,
    attention: Sequence[int],
    norm_groups: int,
    attending: str,
) -> dict:
    """Return what diffusers is told of the stages of a UNet.

    Args:
        shape: as in `build`.
        widths: likewise.
        layers: likewise.
        attention: likewise.
        norm_groups: likewise.
        attending: how the names of blocks with attention begin.
    """
    channels, side, _ = shape
    kinds = [attending if side // 2**stage in attention else "" for stage in range(len(widths))]
    return {
        "sample_size": side,
        "in_channels": channels,
        "out_channels": channels,
        "block_out_channels": tuple(widths),
        "layers_per_block": layers,
        "down_block_types": tuple(f"{kind}DownBlock2D" for kind in kinds),
        "up_block_types": tuple(f"{kind}UpBlock2D" for kind in reversed(kinds)),
        "norm_num_groups": norm_groups,
        "attention_head_dim": min(HEAD_CHANNELS, *widths),
    }


def faults(options: dict, side: int | None) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with options before anything is built: key, what is allowed, advice.

    Args:
        options: of `build`.
        side: of the images in pixels, or of the latents; None where it is not known yet.
    """
    widths, groups = options["widths"], options["norm_groups"]
    if not widths or min(widths) < 1:
        yield "widths", "a list of channels, one a stage, each a whole number >= 1", "Set it, e.g. to [32, 64]."
        return
    for key in ("layers", "norm_groups"):
        if options[key] < 1:
            yield key, "a whole number >= 1", "Raise it."
    if groups >= 1 and any(width % groups for width in widths):
        yield (
            "norm_groups",
            f"a divisor of every one of widths: {', '.join(map(str, widths))}",
            "Choose one, or change the widths.",
        )
    if side is not None:
        yield from _stages(widths, options["attention"], side)


def _stages(widths: Sequence[int], attention: Sequence[int], side: int) -> Iterator[tuple[str, str, str]]:
    """Check the stages, each of which halves the feature maps of the one before."""
    halvings = len(widths) - 1
    if side % 2**halvings:
        yield (
            "widths",
            f"stages that can halve a side of {side}, not {halvings} times",
            "Take fewer widths, or set dataset.image_size to what can be halved as often.",
        )
        return
    sides = [side // 2**stage for stage in range(halvings + 1)]
    for i, resolution in enumerate(attention):
        if resolution not in sides:
            yield (
                f"attention.{i}",
                f"the sides of the stages' feature maps: {', '.join(map(str, sides))}",
                "Choose among these, or change dataset.image_size or the number of widths.",
            )
