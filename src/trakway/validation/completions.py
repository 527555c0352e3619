"""What a domain classifier says of completions: images that many models draw from the same step of a trajectory."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from trakway.errors import UserError

KEY = ["ensemble", "model", "target", "timestep", "stream"]
ORIGINAL, RETRAINED = "original", "retrained"


class Completions:
    """Features or probabilities of completions, found by model, image and timestep.

    Two streams of noise: completions of stream ``"retrained"`` are drawn with the same noise by every model;
    ``"original"`` is a draw of its own, by reference model 0 alone, the baseline of all comparisons.
    """

    def __init__(self, parts: Iterable[tuple[pd.DataFrame, np.ndarray]]):
        """Gather parts.

        Args:
            parts: a table with the columns ``KEY`` (ensemble ``"reference"`` or ``"removal"``, model in it, number of
                the image, timestep, stream) and an array with a row for each of the table's: (rows × completions × d).

        Raises:
            UserError: the same completions twice, or a table and an array that do not fit.
        """
        self._found = {}
        for index, values in parts:
            if len(index) != len(values):
                raise UserError(
                    f"completions: an index.parquet has {len(index)} rows and the array beside it {len(values)}; delete"
                    " the folder and run again"
                )
            for key, row in zip(index[KEY].itertuples(index=False, name=None), values, strict=True):
                if key in self._found:
                    raise UserError(f"completions: {self._words(key)} are given twice; give every folder once")
                self._found[key] = row

    def of(self, ensemble: str, model: int, target: int, timestep: int, stream: str = RETRAINED) -> np.ndarray:
        """Return what was found for one model, image and timestep: (completions × d), float64.

        Raises:
            UserError: there are no such completions, or a number is not finite.
        """
        key = (ensemble, int(model), int(target), int(timestep), stream)
        if key not in self._found:
            raise UserError(
                f"completions: {self._words(key)} are missing; give the folders of all shards of the ensembles"
                " reference and removal"
            )
        values = np.asarray(self._found[key], dtype=np.float64)
        if not np.isfinite(values).all():
            raise UserError(
                f"completions: {self._words(key)} hold numbers that are not finite (nan or inf). Look for a model"
                " whose training diverged (tables/models.csv) and lower training.learning_rate."
            )
        return values

    @staticmethod
    def _words(key: tuple) -> str:
        ensemble, model, target, timestep, stream = key
        return f"those of {ensemble} model {model} for image {target}, timestep {timestep}, stream {stream!r}"
