"""Reading what captioned pictures were encoded as: latents, and states of captions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.errors import UserError
from trakway.storage.files import read_array, read_json, read_table, write_array, write_table

DESCRIPTION = "encoding.json"
CAPTIONS = "captions.parquet"
STATES = "caption_states.npy"


@dataclass(frozen=True)
class Latents:
    """Encoded pictures and captions, as `trakway.tasks.latents.encode` writes them.

    Attributes:
        arrays: of each split, float32 (n, c, h, w); memory maps.
        captions: all that examples have, the empty one first; after them those that a person has typed for targets.
        tokens: how many of each caption's states are of tokens, (captions,); the rest is padding.
        states: of each caption of examples, float32 (captions, L, d); a memory map.
        typed: of the others, likewise.
    """

    arrays: dict[str, np.ndarray]
    captions: tuple[str, ...]
    tokens: np.ndarray
    states: np.ndarray
    typed: np.ndarray

    @classmethod
    def load(cls, data: Path, targets: Path | None = None) -> "Latents":
        """Open what lies beside the prepared data.

        Args:
            data: folder of the prepared data.
            targets: of the targets, if captions typed for them are wanted too.

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
        known = cls(arrays, captions, tokens, states, np.zeros((0, *states.shape[1:]), np.float32))
        if targets is None:
            return known
        table = read_table(targets / CAPTIONS)
        return known.having(tuple(table["caption"]), table["tokens"].to_numpy(), read_array(targets / STATES))

    def having(self, captions: tuple[str, ...], tokens: np.ndarray, typed: np.ndarray) -> "Latents":
        """Return these with captions that no example has, see the attributes."""
        return replace(
            self, captions=self.captions + captions, tokens=np.concatenate([self.tokens, tokens]), typed=typed
        )

    def write_typed(self, targets: Path) -> None:
        """Write the captions typed for targets, and their states, beside the targets, for `load`."""
        first = len(self.states)
        table = pd.DataFrame({"caption": self.captions[first:], "tokens": self.tokens[first:]})
        write_table(targets / CAPTIONS, table.astype({"caption": str, "tokens": int}))
        write_array(targets / STATES, self.typed)

    def states_of(self, numbers: np.ndarray) -> np.ndarray:
        """Return states by number of caption: of numbers (...) float32 (..., L, d)."""
        first = len(self.states)
        found = np.array(self.states[np.where(numbers < first, numbers, 0)])
        found[numbers >= first] = self.typed[numbers[numbers >= first] - first]
        return found

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Place of each caption."""
        return {caption: number for number, caption in enumerate(self.captions)}

    def means(self, captions: Sequence[str]) -> np.ndarray:
        """Return the mean state of the tokens of each caption, float32 (captions, d)."""
        numbers = np.array([self.numbers[caption] for caption in captions])
        return np.stack([self.states_of(number)[: self.tokens[number]].mean(0) for number in numbers])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a latent."""
        return self.arrays["train"].shape[1:]
