"""The denoising UNet of latent diffusion with text (Rombach et al., CVPR 2022, section 3.3), as diffusers builds it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trakway.models import text_encoder as encoders
from trakway.models.unet import faults as faults_of_unet
from trakway.models.unet import stages

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel


def build(
    shape: tuple[int, int, int],
    classes: int,
    *,
    widths: Sequence[int] = (32, 64),
    layers: int = 1,
    attention: Sequence[int] = (),
    norm_groups: int = 8,
    text_encoder: str = "minilm",
    max_length: int = 16,
    text_width: int | None = None,
) -> "UNet2DConditionModel":
    """Build an untrained UNet: float states (B, C, H, W), steps (B,) and states of texts (B, L, d) to a prediction.

    Each stage but the last halves the feature maps. The middle block attends to the text, and so do stages whose
    feature maps have a side in ``attention``.

    Args:
        shape: channels, height and width of the states, square, the side divisible by 2 ** (stages - 1).
        classes: of the data, not used.
        widths: channels of each stage.
        layers: residual blocks a stage; one more on the way up.
        attention: sides of the feature maps with attention; empty for the middle block alone.
        norm_groups: of the group norms; divides every width.
        text_encoder: ``minilm``, a folder, of a pipeline or of ``save_pretrained``, or a name on the hub; gives d.
        max_length: tokens L of a text, longer ones are cut; decides nothing here.
        text_width: to which states of texts are mapped first; None: they are taken as they are.
    """
    from diffusers import UNet2DConditionModel  # takes seconds

    width = encoders.width(text_encoder)
    mapped = {"encoder_hid_dim": width, "encoder_hid_dim_type": "text_proj", "cross_attention_dim": text_width}
    return UNet2DConditionModel(
        **stages(shape, widths, layers, attention, norm_groups, "CrossAttn"),
        **(mapped if text_width else {"cross_attention_dim": width}),
    )


def files(options: dict) -> list[Path]:
    """Return the files on this machine that the text encoder comes from; none of a name on the hub."""
    return encoders.files(options["text_encoder"])


def faults(options: dict, side: int | None) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with options before anything is built: key, what is allowed, advice.

    Args:
        options: of `build`.
        side: of the states, None where it is not known yet.
    """
    yield from faults_of_unet(options, side)
    yield from encoders.faults(options["text_encoder"], options["max_length"])
    width = options["text_width"]
    if width is not None and (not isinstance(width, int) or isinstance(width, bool) or width < 1):
        yield "text_width", "a whole number >= 1, or null", "Change it."
