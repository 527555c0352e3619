"""Reading what captioned pictures were encoded as: latents, and states of captions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from trakway.errors import UserError
from trakway.storage.files import read_array, read_json, read_table

DESCRIPTION = "encoding.json"
CAPTIONS = "captions.parquet"
STATES = "caption_states.npy"


@dataclass(frozen=True)
class Latents:
    """Encoded pictures and captions, as `trakway.tasks.latents.encode` writes them.

    Attributes:
        arrays: of each split, float32 (n, c, h, w); memory maps.
        captions: all that there are, the empty one first.
        tokens: how many of each caption's states are of tokens, (captions,); the rest is padding.
        states: of each caption, float32 (captions, L, d); a memory map.
    """

    arrays: dict[str, np.ndarray]
    captions: tuple[str, ...]
    tokens: np.ndarray
    states: np.ndarray

    @classmethod
    def load(cls, data: Path) -> "Latents":
        """Open what lies beside the prepared data.

        Raises:
            UserError: a file is missing or damaged.
        """
        try:
            counts = read_json(data / DESCRIPTION)["counts"]
            arrays = {split: read_array(data / f"{split}_latents.npy") for split in counts}
            table = read_table(data / CAPTIONS)
            captions, tokens = tuple(table["caption"]), table["tokens"].to_numpy()
            states = read_array(data / STATES)
            if {split: len(array) for split, array in arrays.items()} != counts or len(captions) != len(states):
                raise ValueError("its files do not belong together")
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{data}: the pictures are not encoded as a whole ({error}); delete {data / DESCRIPTION} and run again"
            ) from None
        return cls(arrays, captions, tokens, states)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Place of each caption."""
        return {caption: number for number, caption in enumerate(self.captions)}

    def means(self, captions: Sequence[str]) -> np.ndarray:
        """Return the mean state of the tokens of each caption, float32 (captions, d)."""
        numbers = [self.numbers[caption] for caption in captions]
        return np.stack([self.states[number, : self.tokens[number]].mean(0) for number in numbers])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a latent."""
        return self.arrays["train"].shape[1:]
