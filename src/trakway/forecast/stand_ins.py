"""Networks of random weights in the place of pretrained ones that are not on this machine."""

import copy
from pathlib import Path

from trakway.data.made_up import VOCABULARY
from trakway.models import pretrained

TEXT_WIDTH = 1024  # of the text encoder of Stable Diffusion 2, whose states are all that matters
AUTOENCODER_WIDTHS = (8, 16, 32, 32)  # halves thrice, as that of Stable Diffusion


def with_stand_ins(settings: dict, folder: Path) -> tuple[dict, list[str]]:
    """Return settings that name only weights which are here, and what was replaced, in words.

    Args:
        settings: of an experiment.
        folder: where random weights go.
    """
    settings, said = copy.deepcopy(settings), []
    for section, key, write in (
        ("model", "pretrained", _encoder),
        ("model", "text_encoder", _text_encoder),
        ("autoencoder", "pretrained", _autoencoder),
    ):
        name = (settings.get(section) or {}).get(key)
        if name and not pretrained.files(name):
            what = write(folder / key / section)
            settings[section][key] = str(folder / key / section)
            said.append(f"{section}.{key}: {name} is not on this machine; measured with {what}")
    return settings, said


def _encoder(folder: Path) -> str:
    from transformers import BertConfig, BertModel

    BertModel(BertConfig()).save_pretrained(folder)
    _tokeniser(folder)
    return "a BERT-base of random weights"


def _text_encoder(folder: Path) -> str:
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": TEXT_WIDTH, "num_attention_heads": 1, "num_hidden_layers": 1, "intermediate_size": 8}
    config = BertConfig(**sizes, vocab_size=32)
    BertModel(config).save_pretrained(folder)
    _tokeniser(folder)
    return f"states of width {TEXT_WIDTH}, and without what encoding them costs"


def _tokeniser(folder: Path) -> None:
    from transformers import BertTokenizerFast

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *VOCABULARY]
    BertTokenizerFast(
        vocab={word: number for number, word in enumerate(vocabulary)}, model_max_length=512
    ).save_pretrained(folder)


def _autoencoder(folder: Path) -> str:
    from diffusers import AutoencoderKL

    halvings = len(AUTOENCODER_WIDTHS)
    AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * halvings,
        up_block_types=("UpDecoderBlock2D",) * halvings,
        block_out_channels=AUTOENCODER_WIDTHS,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=128,
    ).save_pretrained(folder)
    return "latents of 4 channels and an eighth of the side, and without what encoding and decoding cost"
