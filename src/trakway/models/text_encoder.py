"""Frozen encoders of captions: tokens and states as pipelines of diffusers have them, padded to one length."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trakway.models import pretrained

if TYPE_CHECKING:
    from torch import Tensor, nn


def width(name: str) -> int:
    """Return the width d of an encoder's states.

    Raises:
        UserError: there is no such encoder.
    """
    config = _config(name)
    return getattr(config, "text_config", config).hidden_size


def files(name: str) -> list[Path]:
    """Return the files on this machine that an encoder and its tokeniser come from; none of a name on the hub."""
    return sorted({file for part in ("text_encoder", "tokenizer") for file in pretrained.files(_part(name, part))})


def faults(name: str, max_length: int) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with options before anything is loaded: key, what is allowed, advice."""
    if max_length < 3:
        yield "max_length", "a whole number >= 3: of every caption two tokens are marks", "Raise it."
    yield from pretrained.faults("text_encoder", name)
    longest = pretrained.longest_text(_part(name, "text_encoder"))
    if longest is not None and max_length > longest:
        yield "max_length", f"at most {longest}, the longest text that {name} takes", "Lower it."


class TextEncoder:
    """An encoder and its tokeniser.

    Attributes:
        model: in eval mode, on the CPU.
        tokenizer: pads and cuts to ``max_length`` tokens.
        masked: whether the encoder is told which tokens are padding.
    """

    def __init__(self, name: str, max_length: int):
        """Load an encoder.

        Args:
            name: as `trakway.models.unet_text.build` takes it.
            max_length: tokens of a caption.

        Raises:
            UserError: there is none, or its tokeniser does not fit, or takes no such length.
        """
        import torch
        from transformers import AutoModel, CLIPTextModel

        config = _config(name)
        clip = config.model_type in ("clip", "clip_text_model")
        kind = CLIPTextModel if clip else AutoModel
        self.masked = getattr(config, "use_attention_mask", not clip)
        place = _part(name, "text_encoder")
        with pretrained.loading("model.text_encoder", name, "encoder of texts"):
            model, info = kind.from_pretrained(
                pretrained.located(place),
                dtype=torch.float32,
                output_loading_info=True,
                **pretrained.how(pretrained.located(place)),
            )
        # A pooler comes after the states.
        missing = [key for key in info["missing_keys"] if "pooler." not in key]
        pretrained.check_whole("model.text_encoder", place, model, missing)
        self.model: nn.Module = model.eval()
        self.tokenizer = pretrained.load_tokenizer("model.text_encoder", _part(name, "tokenizer"), config, max_length)
        self.tokenizer.model_max_length = max_length

    def __call__(self, captions: Sequence[str]) -> "Tensor":
        """Return the states of captions, float32 (captions, max_length, d), on the device of the encoder."""
        import torch

        device, length = next(self.model.parameters()).device, self.tokenizer.model_max_length
        options = {"padding": "max_length", "max_length": length, "truncation": True, "return_tensors": "pt"}
        found = self.tokenizer(list(captions), **options).to(device)
        mask = found["attention_mask"] if self.masked else None
        with torch.no_grad():
            return self.model(input_ids=found["input_ids"], attention_mask=mask).last_hidden_state

    def tokens(self, captions: Sequence[str]) -> list[int]:
        """Return how many tokens captions have, marks included."""
        return [len(ids) for ids in self.tokenizer(list(captions), verbose=False)["input_ids"]]


def _config(name: str):
    from transformers import AutoConfig

    with pretrained.loading("model.text_encoder", name, "encoder of texts"):
        return AutoConfig.from_pretrained(pretrained.located(_part(name, "text_encoder")))


def _part(name: str, part: str) -> str:
    """Return where a part of a pipeline lies, or the folder itself, where encoder and tokeniser lie together."""
    folder = Path(name).expanduser()
    return str(folder / part) if (folder / part).is_dir() else name
